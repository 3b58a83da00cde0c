"""What git says has changed, or was touched, and which notebooks and modules that concerns.

May import pytest. git is called when it is asked for.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import pytest

from nbxunit.host.notebooks import companions, imports


class Touched:
    """A plugin that lets run only what these files concern; `nbxunit watch` gives it to pytest."""

    NAME = __name__ = "nbxunit-touched"

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = frozenset(files)


class Changed:
    """The files that have changed: those that were touched, or that differ from a revision.

    UsageError where git cannot tell.
    """

    def __init__(self, config: pytest.Config, files: Iterable[Path]) -> None:
        self._config = config
        self._files = {file.resolve() for file in files}

    @classmethod
    def asked_for(cls, config: pytest.Config) -> Self | None:
        """What the run is limited to, if it is."""
        touched = config.pluginmanager.get_plugin(Touched.NAME)
        if isinstance(touched, Touched):
            return cls(config, touched.files)
        revision = config.getoption("nbxunit_changed")
        return cls(config, _differing(config.rootpath, revision)) if revision else None

    def concerns(self, path: Path) -> bool:
        """Whether a notebook or module has changed, or what it is made of, or a conftest above it."""
        if not self._files:
            return False
        files = imports.files_of(path.resolve(), self._roots())
        if companions.is_companion(path):
            for notebook in companions.notebooks(path):
                files |= imports.files_of(notebook, self._roots())
        files |= {folder.resolve() / "conftest.py" for folder in path.parents}
        return not files.isdisjoint(self._files)

    def _roots(self) -> list[Path]:
        pythonpath = self._config.getini("pythonpath")
        return [*(self._config.rootpath / path for path in pythonpath), self._config.rootpath]


def _differing(folder: Path, revision: str) -> list[Path]:
    """The files below the repository around a folder that differ from a revision, and new ones."""
    top = Path(_git(folder, "rev-parse", "--show-toplevel"))
    differing = _git(top, "diff", "--name-only", "-z", revision, "--")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    return [top / name for name in f"{differing}\0{new}".split("\0") if name]


def _git(folder: Path, *words: str) -> str:
    """What git prints. UsageError where it fails, or is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - git, with words of ours and a revision behind none of its options
            ["git", "-C", str(folder), *words],  # noqa: S607 - the git on the path
            capture_output=True, text=True, check=True, encoding="utf-8", errors="surrogateescape",
        )  # fmt: skip
    except FileNotFoundError as exc:
        raise pytest.UsageError("--changed needs git, which is not on the path") from exc
    except subprocess.CalledProcessError as exc:
        raise pytest.UsageError(f"--changed: git says: {exc.stderr.strip()}") from exc
    return done.stdout.rstrip("\n")
