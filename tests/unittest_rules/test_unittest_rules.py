"""Each of unittest's rules: a module by `python -m unittest`, and as a notebook in both ways."""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).parent
for folder in (HERE.parent / "kernel", HERE.parent / "conformance"):
    sys.path.insert(0, str(folder))

import live  # noqa: E402
import to_notebook  # noqa: E402

TIMEOUT = 300
TOGETHER = 12
"""Notebooks in one call of `nbxunit run`, to start fewer processes."""
CONFTEST = """\
import os

def note(report):
    if report.failed and not os.environ.get("NBXUNIT_KERNEL"):
        with open("failed.txt", "a") as file:
            file.write(report.nodeid.partition("::")[0].removesuffix(".ipynb") + "\\n")

pytest_runtest_logreport = pytest_collectreport = note
"""


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


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The events of a run, whether it failed, and its `text` for a person who wonders."""

    events: list[str]
    failed: bool
    text: str = dataclasses.field(compare=False, repr=False)


MODULES = {path.stem: Module.read(path) for path in sorted((HERE / "modules").glob("*.py"))}


@pytest.mark.parametrize("mode", ["headless", "inline"])
@pytest.mark.parametrize("name", MODULES)
def test_module(name, mode, tmp_path, shared_path, request):
    """A notebook does, event by event, what unittest does with the same module."""
    module = MODULES[name]
    if module.python > sys.version_info:
        pytest.skip(f"needs Python {'.'.join(map(str, module.python))}: {module.rule}")
    if mode == "inline":
        got = _inline(module, tmp_path, request.getfixturevalue("kernel"))
    else:
        got = _headless(module, shared_path)
    want = _by_unittest(module, tmp_path)
    assert got == want, f"{module.rule}\n--- unittest\n{want.text}\n--- {mode}\n{got.text}"


@pytest.fixture(scope="session")
def shared_path(tmp_path_factory):
    """A folder that all of xdist's workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """A kernel for all inline runs: a run also has to leave nothing to the next one."""
    with live.started(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


def _by_unittest(module: Module, folder: Path) -> Outcome:
    events = folder / "unittest.log"
    done = subprocess.run(
        [sys.executable, "-m", "unittest", *(["-f"] if module.failfast else []), module.path.stem],
        cwd=module.path.parent, env=_environment(EVENTS_FILE=str(events)), text=True,
        capture_output=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    return Outcome(_lines(events), done.returncode != 0, done.stderr)


def _inline(module: Module, folder: Path, kernel: live.LiveKernel) -> Outcome:
    notebook = nbformat.read(_write(module, folder), 4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert not kernel.run("%reset -f").error
    assert not kernel.run("%xunit_reset").error
    for number, source in enumerate(sources):
        reply = kernel.run(source, f"{module.path.stem}-{number}")
        assert not reply.error, reply.text
    reply = kernel.run("%xunit_run -x" if module.failfast else "%xunit_run")
    return Outcome(_lines(folder / f"{module.path.stem}.log"), bool(reply.error), reply.text)


def _headless(module: Module, shared: Path) -> Outcome:
    batch = next(batch for batch in _batches() if module.path.stem in batch)
    folder = shared / f"batch-{batch[0]}"
    folder.mkdir(exist_ok=True)
    result = folder / "result.json"
    with _locked(folder / "lock"):
        if not result.exists():
            result.write_text(json.dumps(_run_batch(batch, folder)))
    text = json.loads(result.read_text())
    failed = module.path.stem in _lines(folder / "failed.txt")
    return Outcome(_lines(folder / f"{module.path.stem}.log"), failed, text)


@functools.cache
def _batches() -> list[list[str]]:
    """The modules that run in one process: -x would end it for all others."""
    able = [name for name, module in MODULES.items() if module.python <= sys.version_info]
    alone = [name for name in able if MODULES[name].failfast]
    others = [name for name in able if name not in alone]
    together = [others[i : i + TOGETHER] for i in range(0, len(others), TOGETHER)]
    return [[name] for name in alone] + together


def _run_batch(batch: Sequence[str], folder: Path) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    books = [_write(MODULES[name], folder).name for name in batch]
    done = subprocess.run(
        [sys.executable, "-m", "nbxunit", "run", *(["-x"] if len(batch) == 1 else []), *books],
        cwd=folder, env=_environment(), text=True, timeout=TIMEOUT, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def _write(module: Module, folder: Path) -> Path:
    """The module as a notebook; its first cell says where its events go."""
    path = folder / f"{module.path.stem}.ipynb"
    events = str(path.with_suffix(".log"))
    first = f"import os\nos.environ['EVENTS_FILE'] = {events!r}"
    source = module.path.read_text(encoding="utf-8")
    nbformat.write(to_notebook.convert(source, first_cell=first), path)
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, **more}
