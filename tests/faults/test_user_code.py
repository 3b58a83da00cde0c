"""User code that fights back: one row each, on a real kernel, with what a person is told."""

from __future__ import annotations

import textwrap

import pytest
from many import LAST, Batch

UNSHOWABLE = """\
class E(Exception):
    def __str__(self): raise ValueError
    __repr__ = __str__
def test_a(): raise E
"""
RAISING = """\
class A:
    def __repr__(self): raise ValueError
    def __eq__(self, other): raise ValueError("e")
    def __getattr__(self, name): raise RuntimeError(name)
a = test_b = TestC = A()
"""
UNUSUAL = """\
class B(BaseException): pass
def f(): return f()
def test_a(): raise B
def test_b(): f()
def test_c(): raise ExceptionGroup("g", [ValueError(i) for i in range(1000)])
"""
COLLECTS_NOTHING = """\
import _pytest.main
_pytest.main.Session.perform_collect = lambda *a, **k: []
def test_a(): assert 0
"""
RUNS_NOTHING = """\
import _pytest.runner
_pytest.runner.runtestprotocol = lambda *a, **k: True
def test_a(): assert 0
"""
MAGICS = """\
import importlib, nbxunit
importlib.reload(nbxunit)
%load_ext nbxunit
%reload_ext nbxunit
"""
PROPERTIES = """\
class B:
    def __repr__(self): raise ValueError
loop = []
loop.append(loop)
def test_a(record_property):
    for value in (float("nan"), {(1, 2): [float("inf")]}, B(), loop, object, "\\ud800"): record_property("x", value)
    assert 0
"""

# name: the cells, the counts, words of the report
ROWS: dict[str, tuple[list[str], dict[str, int], str]] = {
    "pytest_exit_0": (
        ["import pytest\ndef test_a(): pytest.exit('bye', 0)", LAST],
        {"error": 2},
        "test_last: not run: pytest ended in the kernel with status 0",
    ),
    "runs_no_test": (
        [RUNS_NOTHING], {"failed": 1}, "pytest says that the test ended, and never said how",
    ),
    "collects_nothing": ([COLLECTS_NOTHING], {"error": 1}, "never collected the tests"),
    "json_damaged": (
        ["import json\njson.dumps = lambda *a, **k: 'x'", "def test_a(): assert 0"],
        {"error": 1},
        "json_damaged.ipynb: the run failed",
    ),
    "no_stdout": (  # told by the next cell, or by pytest, as the versions of ipykernel differ
        ["import sys\nsys.stdout = sys.stderr = None", LAST], {"error": 1}, "no_stdout.ipynb",
    ),
    "all_descriptors_closed": (
        ["import os\ndef test_a(): os.closerange(3, 4096)", LAST],
        {"error": 2},
        "test_last: not run: the kernel died",
    ),
    "input": (["def test_a(): input('x')", LAST], {"failed": 1, "passed": 1}, "StdinNotImplemented"),
    "magics": (
        [MAGICS, "%%xunit_test test_a\nassert 0", "%reset -f", LAST],
        {"failed": 1, "passed": 1},
        "AssertionError",
    ),
    "properties": ([PROPERTIES, LAST], {"failed": 1, "passed": 1}, "assert 0"),
    "unshowable": ([UNSHOWABLE, LAST], {"failed": 1, "passed": 1}, "E: <exception str() failed>"),
    "raising": (
        [RAISING, "def test_a(): assert a == 1", LAST], {"failed": 1, "passed": 1}, "ValueError: e",
    ),
    "unusual": (
        [UNUSUAL, LAST], {"failed": 3, "passed": 1}, "ExceptionGroup: g (1000 sub-exceptions)",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def batch(shells):
    """All of them in one run."""
    shell = shells()
    for name, (cells, _, _) in ROWS.items():
        shell.write(f"{name}.ipynb", *cells)
    return Batch(shell)


def test_the_run_goes_on(batch):
    """The notebook behind them runs, and nothing is left."""
    batch.went_on()


@pytest.mark.parametrize("name", ROWS)
def test_user_code(told, name):
    """It is told as it is, and nothing is green that is not."""
    it = told(name)
    _, counts, said = ROWS[name]
    assert it.counts == counts, it.text
    assert said in it.text
    assert it.seconds < 20


MARKED = 'import os, subprocess\nsubprocess.Popen(["sleep", "300"], start_new_session=True)'
UNMARKED = """\
env = {"NBXUNIT_TEST": os.environ["NBXUNIT_TEST"]}
subprocess.Popen(["sleep", "300"], start_new_session=True, env=env)
"""


CLEARS = """\
import pathlib, shutil, tempfile
for path in pathlib.Path(tempfile.gettempdir()).iterdir():
    shutil.rmtree(path) if path.is_dir() else path.unlink()
"""


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_cleared_temporary_folder(shell, options):
    """A notebook that clears the temporary folder does no harm to those behind it."""
    (shell.folder / "tmp").mkdir()
    shell.env["TMPDIR"] = str(shell.folder / "tmp")
    shell.write("a.ipynb", f"def test_a():\n{textwrap.indent(CLEARS, '    ')}    assert 0", LAST)
    for name in "bcd":
        shell.write(f"{name}.ipynb", LAST)
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb", "-n", "1", *options)
    assert (result.exit, result.counts) == (1, {"failed": 1, "passed": 4}), result.output
    assert shell.kernels() == []


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_what_cells_start_ends_with_the_kernel(shell, options):
    """A process in a session of its own does not outlive its kernel."""
    # Of a process without our mark only the fork server knows.
    cells = [MARKED] if "--no-fork" in (*shell.options, *options) else [MARKED, UNMARKED]
    shell.write("a.ipynb", *cells, LAST)
    result = shell.run("a.ipynb", *options)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert shell.kernels() == []
