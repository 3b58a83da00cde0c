"""`nbxunit watch`: runs what a save touches, and shows one screen of what failed.

watchfiles, which watches the files, is imported when it is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from nbxunit.host.notebooks import imports
from nbxunit.host.watching.runner import Runner
from nbxunit.host.watching.screen import Screen, single_keys
from nbxunit.text_notebooks import SUFFIXES

_EXAMPLES = """\
examples:
  nbxunit watch                    the notebooks below the current folder
  nbxunit watch sales.ipynb src
  nbxunit watch notebooks -n 4 -k insert    with options of nbxunit run

Keys: a runs all, f those that failed, q quits.
"""
_INI = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Files on which all tests depend."""
_OPTIONS = ("--ff", "-q", "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")
"""Options of each run. What watchfiles imports, pytest finds imported; no test of it is to be rewritten."""
_WAKE = 50
"""Milliseconds between two looks at the keyboard."""
_SETTLED = 10
"""Milliseconds without a change after which a save is taken as whole."""


@dataclasses.dataclass(frozen=True)
class Request:
    """A run: its arguments, why it runs, and the files that were touched; None where all is to run."""

    words: tuple[str, ...]
    why: str
    touched: tuple[Path, ...] | None = None


def main(words: Sequence[str], run: Callable[..., int]) -> int:
    """Watch until the person quits; `run` is what `nbxunit run` does. The exit code: 0, or 4 for a usage error."""
    parser = argparse.ArgumentParser(
        "nbxunit watch", usage="nbxunit watch [options of nbxunit run] [notebook or folder ...]",
        description="Run what a save touches, as soon as it is saved.",
        epilog=_EXAMPLES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    _, rest = parser.parse_known_args(words)
    try:
        import watchfiles
    except ImportError as exc:
        sys.stderr.write(f"nbxunit watch needs watchfiles ({exc}): pip install 'nbxunit[watch]'\n")
        return 4
    if not hasattr(os, "fork"):
        sys.stderr.write("nbxunit watch forks its runs, which this system cannot\n")
        return 4
    paths = [
        Path(word.partition("::")[0]) for word in rest if Path(word.partition("::")[0]).exists()
    ]
    options = [word for word in rest if not Path(word.partition("::")[0]).exists()]
    folders = sorted(
        {path if path.is_dir() else path.absolute().parent for path in paths or [Path()]}
    )
    watching = Watching(paths, options, run)
    request: Request | None = Request((), "all notebooks")
    with watching.running(), single_keys() as keys:
        changes = watchfiles.watch(
            *folders, watch_filter=_Filter(watchfiles.DefaultFilter()), step=_SETTLED,
            rust_timeout=_WAKE, yield_on_timeout=True, raise_interrupt=True,
        )  # fmt: skip
        try:
            for changed in changes:
                key = keys()
                if key == "q":
                    break
                asked = request or watching.request(key, [Path(name) for _, name in changed])
                if asked is not None:
                    watching.run(asked)
                request = None
        except KeyboardInterrupt:
            pass
    return 0


class _Filter:
    """What concerns tests: notebooks, modules, ini files; not what a front end keeps beside them."""

    def __init__(self, default: Callable[[Any, str], bool]) -> None:
        self._default = default

    def __call__(self, change: Any, name: str) -> bool:
        path = Path(name)
        concerns = path.suffix in {".ipynb", *SUFFIXES} or path.name in _INI
        return concerns and ".ipynb_checkpoints" not in path.parts and self._default(change, name)


class Watching:
    """Runs of the tests in `paths`, with `options`."""

    def __init__(
        self, paths: Sequence[Path], options: Sequence[str], run: Callable[..., int]
    ) -> None:
        self._paths = paths
        self._options = options
        self._run = run
        self._next: Runner | None = None
        plugins = {each.module.partition(".")[0] for each in entry_points(group="pytest11")}
        self._are_plugins_installed = all(map(_is_installed, plugins - {"nbxunit"}))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Within, the next run is ready."""
        self._prepare()
        try:
            yield
        finally:
            if self._next is not None:
                self._next.end()

    def _prepare(self) -> None:
        self._next = Runner.fork(self._run, self._libraries())

    def _libraries(self) -> list[str] | None:
        """What the notebooks import that is installed, for the fork server; None where a plugin is not."""
        if not self._are_plugins_installed:
            return None
        found: set[str] = set()
        for path in self._paths or [Path()]:
            notebooks = path.rglob("*.ipynb") if path.is_dir() else [path]
            for notebook in notebooks:
                found |= imports.libraries_of(notebook)
        return sorted(filter(_is_installed, found))

    def request(self, key: str, changed: Sequence[Path]) -> Request | None:
        """What a key or a save asks for, if it does."""
        paths = tuple(map(str, self._paths))
        if key == "a":
            return Request(paths, "all notebooks")
        if key == "f":
            return Request((*paths, "--lf"), "what failed")
        there = [path for path in changed if path.exists()]
        if not there:
            return None
        why = ", ".join(sorted({path.name for path in there}))
        if any(path.name in _INI for path in there):
            return Request(paths, f"{why} saved")
        if all(path.suffix == ".ipynb" for path in there):
            return Request(tuple(map(_shown, there)), f"{why} saved")
        return Request(paths, f"{why} saved", tuple(there))

    def run(self, request: Request) -> None:
        """Run the tests, and show one screen of them."""
        assert self._next is not None
        words = (*(request.words or map(str, self._paths)), *_OPTIONS, *self._options)
        screen = Screen()
        screen.begin(f"nbxunit watch: {request.why}")
        with contextlib.suppress(KeyboardInterrupt):  # the run has it, too, and says so
            for text in self._next.run(words, request.touched):
                screen.write(text)
        self._next.end()
        self._prepare()
        screen.end()


def _shown(path: Path) -> str:
    """A path as a person would write it."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


def _is_installed(name: str) -> bool:
    """Whether a module is one of an installed library, and not of Python's own or beside the notebooks."""
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(name)
        folder = sysconfig.get_path("purelib")
        return spec is not None and bool(spec.origin) and str(spec.origin).startswith(folder)
    return False
