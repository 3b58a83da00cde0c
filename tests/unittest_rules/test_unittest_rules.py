"""Each of unittest's rules: a module by `python -m unittest`, and as a notebook in both ways."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conformance"))

import batches  # noqa: E402
import live  # noqa: E402
import to_notebook  # noqa: E402
from batches import Outcome  # noqa: E402

TOGETHER = 40
"""Modules that share a process."""


@dataclasses.dataclass(frozen=True)
class Module:
    """One of modules/*.py: the rule it shows, how it is run, the oldest Python that has the rule."""

    path: Path
    rule: str
    failfast: bool
    python: tuple[int, ...]

    @classmethod
    def read(cls, path: Path) -> Module:
        """Read the comment lines at the top of the file."""
        lines = path.read_text(encoding="utf-8").splitlines()
        head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
        python = tuple(map(int, head.get("python", "3.11").split(".")))
        return cls(path, head["rule"], head.get("run") == "failfast", python)

    @property
    def words(self) -> list[str]:
        """What `nbxunit run` and `%xunit_run` are given besides."""
        return ["-x"] if self.failfast else []


MODULES = {path.stem: Module.read(path) for path in sorted((HERE / "modules").glob("*.py"))}
BATCHES = [[*MODULES][i : i + TOGETHER] for i in range(0, len(MODULES), TOGETHER)]
PARAMETERS = [
    pytest.param(name, mode, id=f"{name}-{mode}")
    for name in MODULES
    for mode in ("headless", "inline")
]


@pytest.mark.parametrize(("name", "mode"), PARAMETERS)
def test_module(name, mode, tmp_path, kernel):
    """A notebook does, event by event, what unittest does with the same module."""
    module = MODULES[name]
    if module.python > sys.version_info:
        pytest.skip(f"needs Python {'.'.join(map(str, module.python))}: {module.rule}")
    if mode == "inline":
        events = tmp_path / f"{name}.log"
        got = batches.inline(_notebook(name, tmp_path), events, kernel, module.words)
    else:
        got = _headless(name)
    want = _by_unittest(name)
    assert got == want, f"{module.rule}\n--- unittest\n{want.text}\n--- {mode}\n{got.text}"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory) -> Iterator[live.LiveKernel]:
    """A kernel for all inline runs: a run also has to leave nothing to the next one."""
    with live.started(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


@functools.cache
def _by_unittest(name: str) -> Outcome:
    module = MODULES[name]
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "unittest.log")
        done = subprocess.run(
            [sys.executable, "-m", "unittest", *(["-f"] if module.failfast else []), name],
            cwd=module.path.parent, env=batches.environment(EVENTS_FILE=str(events)), text=True,
            capture_output=True, timeout=batches.TIMEOUT, check=False,
        )  # fmt: skip
        return Outcome(batches.lines(events), done.returncode != 0, done.stderr)


def _headless(name: str) -> Outcome:
    if MODULES[name].failfast:  # it would end the run for all others
        return _run_headless((name,))[name]
    batch = next(batch for batch in BATCHES if name in batch)
    able = [MODULES[each] for each in batch if not MODULES[each].failfast]
    return _run_headless(
        tuple(module.path.stem for module in able if module.python <= sys.version_info)
    )[name]


@functools.cache
def _run_headless(names: tuple[str, ...]) -> dict[str, Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        books = {name: _notebook(name, Path(folder)) for name in names}
        return batches.headless(books, Path(folder), MODULES[names[0]].words)


def _notebook(name: str, folder: Path) -> object:
    source = MODULES[name].path.read_text(encoding="utf-8")
    return to_notebook.convert(source, first_cell=batches.recording(folder / f"{name}.log"))
