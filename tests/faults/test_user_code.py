"""User code that fights back: one row each, on a real kernel, with what a person is told."""

from __future__ import annotations

import pytest

LAST = "def test_last(): pass"
IGNORES = """\
import signal, time
def test_a():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)
"""
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

# name: the cells, the options, the counts with those of the notebook behind, words of the report
ROWS: dict[str, tuple[list[str], tuple[str, ...], dict[str, int], str]] = {
    "exit in a cell": (
        ["import sys; sys.exit(0)", LAST],
        (),
        {"passed": 1, "error": 1},
        "a.ipynb cell 1, line 1: SystemExit: 0",
    ),
    "quit in a cell": (
        ["quit", LAST],
        (),
        {"passed": 1, "error": 1},
        "a.ipynb cell 1: the cell ends the kernel by exit() or quit",
    ),
    "os._exit(0) in a cell": (
        ["import os; os._exit(0)", LAST],
        (),
        {"passed": 1, "error": 1},
        "a.ipynb cell 1: the kernel died (exit status 0)",
    ),
    "os._exit(0) in a test": (
        ["import os\ndef test_a(): pass\ndef test_b(): os._exit(0)", LAST],
        (),
        {"passed": 2, "error": 2},
        "ERROR a.ipynb::test_last - not run: the kernel died (exit status 0)",
    ),
    "exit in a test": (
        ["def test_a(): exit()", LAST],
        (),
        {"passed": 2, "failed": 1},
        "FAILED a.ipynb::test_a - SystemExit",
    ),
    "exit in a hook": (
        ["%%xunit_setup module\nimport sys; sys.exit(0)", LAST],
        (),
        {"passed": 1, "error": 1},
        "ERROR a.ipynb::test_last - nbxunit.HookExit: SystemExit: 0",
    ),
    "os._exit(0) in a teardown": (
        ["%%xunit_teardown module\nimport os; os._exit(0)", LAST],
        (),
        {"passed": 2, "error": 1},
        "the kernel died (exit status 0)",
    ),
    "pytest.exit with status 0": (
        ["import pytest\ndef test_a(): pytest.exit('bye', 0)", LAST],
        (),
        {"passed": 1, "error": 2},
        "ERROR a.ipynb::test_last - not run: pytest ended in the kernel with status 0",
    ),
    "a fork that comes back from its test": (
        ["import os\ndef test_a():\n    pid = os.fork()\n    pid and os.waitpid(pid, 0)", LAST],
        (),
        {"passed": 3},
        "",
    ),
    "a fork that comes back from its cell": (
        ["import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)", LAST],
        (),
        {"passed": 2},
        "",
    ),
    "pytest that runs no test": (
        [
            RUNS_NOTHING,
        ],
        (),
        {"passed": 1, "failed": 1},
        "pytest says that the test ended, and never said how",
    ),
    "pytest that collects nothing": (
        [
            COLLECTS_NOTHING,
        ],
        (),
        {"passed": 1, "error": 1},
        "never collected the tests",
    ),
    "our modules deleted": (
        [
            "import sys\nfor k in [k for k in sys.modules if k.startswith('nbxunit')]: del sys.modules[k]",
            "def test_a(): assert 0",
        ],
        (),
        {"passed": 1, "error": 1},
        "ERROR a.ipynb - the run failed in the kernel",
    ),
    "json damaged": (
        ["import json\njson.dumps = lambda *a, **k: 'x'", "def test_a(): assert 0"],
        (),
        {"passed": 1, "error": 1},
        "ERROR a.ipynb - the run failed",
    ),
    "no stdout": (
        ["import sys\nsys.stdout = sys.stderr = None", LAST],
        (),
        {"passed": 1, "error": 1},
        "ERROR a.ipynb",  # by the next cell, or by pytest, as the versions of ipykernel differ
    ),
    "closed descriptors 1 and 2": (
        ["import os\nos.close(1); os.close(2)", "def test_a(): assert 0", LAST],
        (),
        {"passed": 2, "failed": 1},
        "FAILED a.ipynb::test_a - assert 0",
    ),
    "all descriptors closed": (
        ["import os\ndef test_a(): os.closerange(3, 4096)", LAST],
        (),
        {"passed": 1, "error": 2},
        "ERROR a.ipynb::test_last - not run: the kernel died",
    ),
    "no descriptors left": (
        ["import os\nheld = []\ndef test_a():\n    while True: held.append(os.open('/dev/null', 0))", LAST],
        (),
        {"passed": 2, "failed": 1},
        "Too many open files",
    ),
    "SIGINT ignored": (
        [IGNORES, LAST],
        ("--test-timeout", "1"),
        {"passed": 1, "error": 2},
        "a.ipynb::test_a took longer than 1 s and did not react to an interrupt",
    ),
    "input": (
        ["def test_a(): input('x')", LAST],
        (),
        {"passed": 2, "failed": 1},
        "StdinNotImplementedError",
    ),
    "magics and reloads": (
        [
            "import importlib, nbxunit\nimportlib.reload(nbxunit)\n%load_ext nbxunit\n%reload_ext nbxunit",
            "%%xunit_test test_a\nassert 0",
            "%reset -f",
            LAST,
        ],
        (),
        {"passed": 2, "failed": 1},
        "FAILED a.ipynb::test_a - assert 0",
    ),
    "exceptions that cannot be shown": (
        [UNSHOWABLE, LAST],
        (),
        {"passed": 2, "failed": 1},
        "FAILED a.ipynb::test_a - E: <exception str() failed>",
    ),
    "objects that raise": (
        [
            RAISING,
            "def test_a(): assert a == 1",
            LAST,
        ],
        (),
        {"passed": 2, "failed": 1},
        "FAILED a.ipynb::test_a - ValueError: e",
    ),
    "BaseException, recursion, a big group": (
        [
            UNUSUAL,
            LAST,
        ],
        (),
        {"passed": 2, "failed": 3},
        "FAILED a.ipynb::test_c - ExceptionGroup: g (1000 sub-exceptions)",
    ),
    "the clock stopped": (
        ["import time\ntime.monotonic = time.time = time.perf_counter = lambda: 0", "def test_a(): assert 0"],
        (),
        {"passed": 1, "failed": 1},
        "FAILED a.ipynb::test_a - assert 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_user_code(shell, name):
    """It is told as it is, nothing is green that is not, the next notebook runs, nothing is left."""
    cells, options, counts, said = ROWS[name]
    shell.write("a.ipynb", *cells)
    shell.write("b.ipynb", "def test_b(): pass")
    result = shell.run("a.ipynb", "b.ipynb", "-rfE", *options, width=200)
    assert result.counts == counts, result.output
    assert result.exit == int(set(counts) != {"passed"})
    assert said in result.output
    assert shell.kernels() == []
    assert result.seconds < 40


MARKED = 'import os, subprocess\nsubprocess.Popen(["sleep", "300"], start_new_session=True)'
UNMARKED = """\
env = {"NBXUNIT_TEST": os.environ["NBXUNIT_TEST"]}
subprocess.Popen(["sleep", "300"], start_new_session=True, env=env)
"""


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_what_cells_start_ends_with_the_kernel(shell, options):
    """A process in a session of its own does not outlive its kernel."""
    # Of a process without our mark only the fork server knows.
    cells = [MARKED] if options else [MARKED, UNMARKED]
    shell.write("a.ipynb", *cells, LAST)
    result = shell.run("a.ipynb", *options)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert shell.kernels() == []
