"""The corpus of lifecycle rules: a notebook does what real pytest and real unittest do.

Each module runs headless and inline, as Python and, where it can be said so, as hook cells and test
cells. `conformance/score.py` compares the same with any runner.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CORPUS = HERE / "conformance"
sys.path.insert(0, str(CORPUS))

import batches  # noqa: E402
import live  # noqa: E402
import to_cells  # noqa: E402
import to_notebook  # noqa: E402
from batches import Outcome  # noqa: E402

TOGETHER = 40
"""Runs that share a process."""

DECIDED = {
    "u02": ("TestZebra.test_a|TestZebra.test_b|TestAardvark.test_10|TestAardvark.test_9|TestAardvark.test_z", False),
    "u34": ("TestA.setUpClass|TestA class cleanup|TestB.test_two|tearDownModule", True),
    "u35": ("setUpClass|test_one|tearDownClass|class cleanup|tearDownModule", True),
    "u46": ("test_two", True),
    "u56": ("setup_module|setup_class|setup_method|setUp|test_one", False),
    "x54": ("setup_function|test_one|teardown_function|setup_function|test_two|teardown_function", False),
}  # fmt: skip
"""Where the README decides otherwise than the module's authority: the events, and whether it fails."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One way to run a module of the corpus as a notebook, in the `form` of a module or of cells."""

    module: str
    variant: str
    form: str
    python: tuple[int, ...]
    want: Outcome = dataclasses.field(hash=False)

    @property
    def name(self) -> str:
        """What identifies it."""
        return f"{self.module.removeprefix('test_')}-{self.variant}-{self.form}"

    @property
    def stem(self) -> str:
        """The name of its notebook, which no `-k` is to match."""
        return f"{self.module}-{self.form}"

    @property
    def alone(self) -> bool:
        """Whether it can't share a process: it has options, ends the others, or has no tests."""
        ends = "KeyboardInterrupt" in self.source or "def test" not in self.source
        return self.variant != "default" or ends

    def words(self, *, inline: bool) -> Sequence[str]:
        """What `nbxunit run` or `%xunit_run` is given besides."""
        kind, _, value = self.variant.partition("=")
        book = "" if inline else f"{self.stem}.ipynb::"
        return {
            "default": [],
            "failfast": ["-x"],
            "maxfail": [f"--maxfail={value}"],
            "select": [book + test for test in value.split(",")],
            "k": ["-k", shlex.quote(value) if inline else value],
        }[kind]

    def notebook(self, folder: Path) -> Any:
        """The notebook, whose events go to NAME.log in `folder`."""
        convert = to_cells.convert if self.form == "cells" else to_notebook.convert
        return convert(self.source, first_cell=batches.recording(folder / f"{self.stem}.log"))

    @property
    def source(self) -> str:
        """The text of the module."""
        return (CORPUS / "modules" / f"{self.module}.py").read_text(encoding="utf-8")


def _runs() -> Iterator[Run]:
    for path in sorted((CORPUS / "expected").glob("test_*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        python = tuple(map(int, data.get("min_python", "3.11").split(".")))
        for form in ("module", "cells"):
            for variant, by_runner in data["runs"].items():
                wanted = by_runner[data["authority"]]
                events, failed = DECIDED.get(
                    data["module"].split("_")[1], ("|".join(wanted["events"]), bool(wanted["exit"]))
                )
                want = Outcome([event for event in events.split("|") if event], failed, "")
                run = Run(data["module"], variant, form, python, want)
                if form == "module" or _can_be_cells(run):
                    yield run


def _can_be_cells(run: Run) -> bool:
    try:
        written = to_cells.replacements(ast.parse(run.source))
    except to_cells.NotConvertible:
        return False
    hooks = ("%%xunit_setup", "%%xunit_teardown")
    return any(text.startswith(hooks) for cells in written.values() for text in cells)


RUNS = {run.name: run for run in _runs()}
BATCHES = [[*RUNS][i : i + TOGETHER] for i in range(0, len(RUNS), TOGETHER)]


def pytest_generate_tests(metafunc):
    """Run cells with --long only: tests/lifecycle holds many that run always.

    What needs a process of its own is slow.
    """
    modes: dict[str, tuple[str, ...]] = {"module": ("headless", "inline"), "cells": ()}
    if metafunc.config.getoption("long"):
        modes["cells"] = modes["module"]
    parameters = [
        pytest.param(
            name,
            mode,
            id=f"{name}-{mode}",
            marks=pytest.mark.slow if run.alone and mode == "headless" else (),
        )
        for name, run in RUNS.items()
        for mode in modes[run.form]
    ]
    metafunc.parametrize(("name", "mode"), parameters)


def test_run(name, mode, tmp_path, kernel):
    """A notebook does, event by event, what the module's authority does, and fails where it does."""
    run = RUNS[name]
    if run.python > sys.version_info:
        pytest.skip(f"needs Python {'.'.join(map(str, run.python))}")
    if mode == "inline":
        events = tmp_path / f"{run.stem}.log"
        got = batches.inline(run.notebook(tmp_path), events, kernel, run.words(inline=True))
    else:
        got = _headless(run)
    assert got == run.want, got.text


@pytest.fixture(scope="module")
def kernel(tmp_path_factory) -> Iterator[live.LiveKernel]:
    """A kernel for all inline runs: a run also has to leave nothing to the next one."""
    with live.started(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


def _headless(run: Run) -> Outcome:
    if run.alone:
        return _run_headless((run.name,))[run.stem]
    batch = next(batch for batch in BATCHES if run.name in batch)
    return _run_headless(tuple(
        name for name in batch
        if RUNS[name].form == run.form and not RUNS[name].alone
        and RUNS[name].python <= sys.version_info
    ))[run.stem]  # fmt: skip


@functools.cache
def _run_headless(names: tuple[str, ...]) -> dict[str, Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        books = {RUNS[name].stem: RUNS[name].notebook(Path(folder)) for name in names}
        return batches.headless(books, Path(folder), RUNS[names[0]].words(inline=False))
