"""What git says has changed, and which notebooks and modules that concerns.

May import pytest. git is called when it is asked for.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nbxunit.host.notebooks import companions, imports


class Changed:
    """The files that differ from a revision. UsageError where git cannot tell."""

    def __init__(self, config: pytest.Config, revision: str) -> None:
        self._config = config
        folder = config.rootpath
        top = Path(_git(folder, "rev-parse", "--show-toplevel"))
        differing = _git(top, "diff", "--name-only", "-z", revision, "--")
        new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
        self._files = {(top / name).resolve() for name in f"{differing}\0{new}".split("\0") if name}

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
