"""Coverage of a kernel's run: from before conftests are loaded to the end of the tests, then saved.

May import pytest and coverage. Imported where a host measures. What is measured, and how, is what
pytest-cov's plugin does in a worker of xdist.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import coverage
import pytest

from nbxunit import directives, text_notebooks
from nbxunit.coverage import tracing
from nbxunit.coverage.tracing import CodeFile, Tracing
from nbxunit.kernel.cells.nesting import left_out
from nbxunit.kernel.cells.notebook import Notebook
from nbxunit.lines import FileCell

EXPECTED = ("no-data-collected", "module-not-imported", "module-not-measured")
"""What coverage warns of, and what is no news of a single notebook."""


class Measuring:
    """The plugin in the place of pytest-cov's; measures what a host has `told` from now on.

    With `root`, the host's rootdir, are the names of a companion's notebooks.
    """

    def __init__(self, told: Mapping[str, Any], notebook: Notebook, root: Path) -> None:
        self._notebook = notebook
        self._path_of = functools.cache(
            lambda name: str((root / name if name else notebook.path).resolve())
        )
        self._folder = str(Path.cwd())
        self._contexts = told["contexts"]
        self._is_saved = False
        self._tracing = Tracing(self._code_file, self._text_cells) if told["cells"] else None
        in_memory: Any = {"data_file": None} if told["cells"] else {}
        self.cov = coverage.Coverage(
            source=told["source"], branch=told["branch"], config_file=told["config"],
            data_suffix=True, **in_memory,
        )  # fmt: skip
        self._add("run:disable_warnings", *EXPECTED)
        tracing.current = self._tracing
        self._add("run:omit", f"*/ipykernel_{os.getpid()}/*")  # code that is in no file
        if self._tracing is not None:
            self.cov.set_option("run:core", "ctrace")  # no other one lets a plugin trace
            self._add("run:plugins", "nbxunit.coverage")
            if told["is_outside"]:
                self._add("run:source_pkgs", "__main__")
        self.cov.start()

    @property
    def cov_controller(self) -> Measuring:
        """What pytest-cov's fixture `cov` asks for."""
        return self

    def _add(self, option: str, *values: str) -> None:
        given: Any = self.cov.get_option(option) or []
        self.cov.set_option(option, [*given, *(each for each in values if each not in given)])

    def _code_file(self, filename: str) -> CodeFile | None:
        """Which cells have this file of code: those of equal text share one."""
        cell = self._notebook.cell_of_file(filename)
        if cell is None:
            return None
        same = {
            each.number
            for each in self._notebook.registry.cells.values()
            if each.filename == cell.filename and each.notebook == cell.notebook
        }
        return CodeFile(self._path_of(cell.notebook), sorted(same | {cell.number}), left_out(cell))

    def _text_cells(self, path: str) -> list[FileCell] | None:
        """The cells of the text notebook at `path` that have run; None of other notebooks.

        Its file is not read here, which takes jupytext.
        """
        if Path(path).suffix not in text_notebooks.SUFFIXES:
            return None
        return [
            FileCell(cell.number, cell.source, tuple(range(above + 1, above + 1 + len(lines))))
            for cell in self._notebook.registry.cells.values()
            if self._path_of(cell.notebook) == path
            and (above := self._notebook.line_above(cell)) is not None
            and (lines := directives.lines_of(cell.source))
        ]

    # --- the run ---

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A context begins."""
        self._begin(item, "setup")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A context begins; a test that asks for it is not measured."""
        self._begin(item, "run")
        with self._paused() if _is_unmeasured(item) else contextlib.nullcontext():
            yield

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """A context begins."""
        self._begin(item, "teardown")

    def _begin(self, item: pytest.Item, phase: str) -> None:
        if self._contexts:
            self.cov.switch_context(f"{item.nodeid}|{phase}")

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        self.cov.stop()
        try:
            yield
        finally:
            self.cov.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Save what was measured, before the host hears of the end."""
        if self._is_saved:
            return
        self._is_saved = True
        self.cov.stop()
        if self._tracing is None:
            self.cov.save()
            return
        file = Path(self._folder, str(self.cov.get_option("run:data_file")))
        saved = coverage.CoverageData(str(file), suffix=True)
        self._tracing.settle(self.cov.get_data(), saved, self._folder)
        saved.close()


def _is_unmeasured(item: Any) -> bool:
    """Whether a test has pytest-cov's mark or fixture `no_cover`."""
    return bool(item.get_closest_marker("no_cover") or "no_cover" in item.fixturenames)
