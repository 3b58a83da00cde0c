"""Kernels that end, in each way and at each place: never silently, never green, with their last words."""

from __future__ import annotations

import pytest
from many import LAST, NOW, Batch

SOON = 8.0
"""Seconds from a death to its report: three times what it may take, and five for a busy machine."""
IMPORTS = "import asyncio, ctypes, os, resource, signal, sys, threading, time"
WORDS = "print('last words', file=sys.stderr)"
# way: the code, and how it is told
DEATHS = {
    "exit_3": ("os._exit(3)", "the kernel died (exit status 3)"),
    "exit_0": ("os._exit(0)", "the kernel died (exit status 0)"),
    "sigsegv": ("ctypes.string_at(0)", "killed by SIGSEGV"),
    "sigkill": ("os.kill(os.getpid(), 9)", "killed by SIGKILL, perhaps out of memory"),
    "sigterm": ("os.kill(os.getpid(), 15); time.sleep(9)", "killed by SIGTERM"),
    "sighup": ("os.kill(os.getpid(), 1); time.sleep(9)", "killed by SIGHUP"),
    "abort": ("os.abort()", "killed by SIGABRT"),
    "c_exit": ("ctypes.CDLL(None).exit(5)", "exit status 5"),
    "by_a_thread": ("threading.Timer(0.1, os._exit, [7]).start(); time.sleep(9)", "exit status 7"),
    "by_a_child": (
        "os.spawnlp(os.P_NOWAIT, 'sh', 'sh', '-c', f'kill -9 {os.getpid()}'); time.sleep(9)",
        "killed by SIGKILL",
    ),
    "exec": ("os.execv('/bin/true', ['true'])", "exit status 0"),
    "alarm": ("signal.setitimer(signal.ITIMER_REAL, 0.1); time.sleep(9)", "killed by SIGALRM"),
}
# place: cells with CODE in them, the counts, and the test or cell that is told to have run
PLACES: dict[str, tuple[list[str], dict[str, int], str]] = {
    "cell": ([f"{WORDS}\nCODE", LAST], {"error": 1}, "cell 2"),
    "test": (
        ["def test_0(): pass", f"def test_1():\n    {WORDS}\n    CODE", LAST],
        {"passed": 1, "error": 2},
        "while it ran death_NAME_test.ipynb::test_1; its teardown could not run",
    ),
}
HOOKS: dict[str, tuple[str, dict[str, int], str]] = {
    "setup module": ("test_0", {"error": 3}, "test_last: not run"),
    "setup class TestA": ("test_1", {"passed": 1, "error": 2}, "test_last: not run"),
    "setup method TestA": ("test_1", {"passed": 1, "error": 2}, "test_last: not run"),
    "setup function": ("test_0", {"error": 3}, "test_last: not run"),
    "teardown function": ("test_0", {"passed": 1, "error": 3}, "test_last: not run"),
    "teardown module": ("test_last", {"passed": 3, "error": 1}, "its teardown could not run"),
}
EXITS = {
    "sys": ("sys.exit(0)", "SystemExit: 0"),
    "exit": ("exit()", "SystemExit"),
    "quit": ("quit(keep_kernel=True)", "TypeError"),
    "raise": ("raise SystemExit('bye')", "SystemExit: bye"),
    "shell": ("get_ipython().ask_exit()", "SystemExit: the kernel was asked to end"),
    "kernel": ("get_ipython().kernel.do_shutdown(False)", "SystemExit: the kernel was asked"),
    "loop": ("get_ipython().kernel.io_loop.stop()", "SystemExit: the kernel was asked to end"),
}
ENDS = {  # of cells: how it is told, where it is told otherwise
    "exit": "the cell ends the kernel by exit() or quit",
    "quit": "the cell ends the kernel by exit() or quit",
    "shell": "the cell ends the kernel by exit() or quit",
    "kernel": "the cell ends the kernel by exit() or quit",
    "loop": "the kernel died (exit status 0)",
}


@pytest.fixture(scope="module")
def batch(shells, rows):
    """All of them in one run."""
    shell = shells()
    for name in rows(DEATHS):
        code, _ = DEATHS[name]
        for place, (cells, _, _) in PLACES.items():
            file = f"death_{name}_{place}"
            dies = f"{NOW.replace('NAME', file)}; {code}"
            shell.write(f"{file}.ipynb", IMPORTS, *(cell.replace("CODE", dies) for cell in cells))
    for hook in HOOKS:
        kind, _, rest = hook.partition(" ")
        cells = ["def test_0(): pass", "class TestA:\n    def test_1(self): pass", LAST]
        file = f"hook_{hook.replace(' ', '_')}"
        dies = f"{NOW.replace('NAME', file)}; os._exit(3)"
        shell.write(f"{file}.ipynb", IMPORTS, f"%%xunit_{kind} {rest}\n{dies}", *cells)
    for name in rows(EXITS):
        code, _ = EXITS[name]
        body = f"async def test_b():\n    await asyncio.sleep(0)\n    {code}\n    await asyncio.sleep(1)"
        shell.write(f"exit_{name}_cell.ipynb", IMPORTS, code, LAST)
        shell.write(f"exit_{name}_test.ipynb", IMPORTS, f"def test_a(): {code}", LAST)
        shell.write(f"exit_{name}_await.ipynb", IMPORTS, body, LAST)
        shell.write(f"exit_{name}_hook.ipynb", IMPORTS, f"%%xunit_setup module\n{code}", LAST)
    return Batch(shell, timeout=400)


def test_the_run_goes_on(batch):
    """Whatever ends kernels, the notebook behind them runs, and nothing is left."""
    batch.went_on()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", DEATHS)
def test_death(told, name, place):
    """A dead kernel is told with its signal or status, its place and its last words, soon."""
    it = told(f"death_{name}_{place}")
    _, counts, where = PLACES[place]
    assert it.counts == counts, it.text
    assert DEATHS[name][1] in it.text
    assert where.replace("NAME", name) in it.text
    assert "last words" in it.text
    assert it.seconds < SOON


@pytest.mark.parametrize("hook", HOOKS)
def test_death_in_a_hook(told, hook):
    """The test around which the hook ran is an error, and those behind it say that they did not run."""
    it = told(f"hook_{hook.replace(' ', '_')}")
    test, counts, said = HOOKS[hook]
    assert it.counts == counts, it.text
    assert f"{test}: the kernel died (exit status 3)" in it.text
    assert said in it.text
    assert it.seconds < SOON


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_test(told, name):
    """A test that ends the kernel in order fails, and the next one runs."""
    it = told(f"exit_{name}_test")
    assert it.counts == {"failed": 1, "passed": 1}, it.text
    assert EXITS[name][1] in it.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_test_that_awaits(told, name):
    """The same in a coroutine, where a loop that is stopped ends the kernel."""
    it = told(f"exit_{name}_await")
    if name == "loop":
        assert it.counts == {"error": 2}, it.text
        assert "the kernel died (exit status 0)" in it.text
    else:
        assert it.counts == {"failed": 1, "passed": 1}, it.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_hook(told, name):
    """A hook that ends the kernel in order is an error of the tests it is for."""
    it = told(f"exit_{name}_hook")
    assert it.counts == {"error": 1}, it.text
    assert EXITS[name][1] in it.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_cell(told, name):
    """A cell that ends the kernel in order is an error, and no test of its notebook runs."""
    it = told(f"exit_{name}_cell")
    assert it.counts == {"error": 1}, it.text
    assert ENDS.get(name, EXITS[name][1]) in it.text


# As pytest-rerunfailures does it. That plugin itself starts a server in each pytest beside xdist, and so
# in each kernel of all these tests, if it were installed here.
RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for left in (2, 1, 0):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = left and any(report.failed for report in reports)
        for report in reports:
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if not again:
            return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""


def test_reruns_do_not_loop(shell):
    """A plugin that runs failing tests again does so in the kernel, and not where that has died."""
    (shell.folder / "conftest.py").write_text(RERUNS)
    note = "def ran(name):\n    with open(name, 'a') as file: file.write('x')\n    return len(open(name).read())"
    dies = "import os\ndef test_b():\n    ran('b')\n    os._exit(3)"
    shell.write("a.ipynb", note, "def test_a(): assert ran('a') == 3", dies, LAST)
    shell.write("b.ipynb", "def test_c(): assert 0", LAST)
    result = shell.run("a.ipynb", "b.ipynb", width=200)
    counts = {"rerun": 4, "passed": 2, "failed": 1, "error": 2}
    assert (result.exit, result.counts) == (1, counts), result.output
    assert "while it ran a.ipynb::test_b; its teardown could not run" in result.output
    assert "not run: the kernel died (exit status 3)" in result.output
    assert [(shell.folder / name).read_text() for name in "ab"] == ["xxx", "x"]
    assert shell.kernels() == []


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("raise KeyboardInterrupt", "a test of b.ipynb was interrupted"),
        ("pytest.exit('bye')", "Exit: b.ipynb: bye"),
    ],
)
def test_interrupt_by_a_test(shell, ends, said):
    """A test that interrupts ends the run, as in pytest, also where others failed before."""
    shell.write("a.ipynb", "def test_a(): assert 0")
    shell.write("b.ipynb", "import pytest\ndef test_b(): assert 0", f"def test_c(): {ends}", LAST)
    shell.write("c.ipynb", LAST)
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb", width=200)
    assert (result.exit, result.counts) == (2, {"failed": 2}), result.output
    assert said in result.output
    assert shell.kernels() == []


def test_death_under_xdist(shell):
    """The controller of xdist is told of dead kernels and broken notebooks as any reporter is."""
    pytest.importorskip("xdist")
    dies = "import os\ndef test_a(): pass\ndef test_b(): os._exit(3)"
    shell.write("a.ipynb", dies, LAST)
    shell.write("b.ipynb", "import os; os._exit(3)", LAST)
    (shell.folder / "c.ipynb").write_text("{")
    shell.write("d.ipynb", LAST, name="nosuch")
    shell.write("e.ipynb", LAST)
    result = shell.run(*(f"{name}.ipynb" for name in "abcde"), "--numprocesses=2", width=200)
    assert (result.exit, result.counts) == (1, {"passed": 2, "error": 5}), result.output
    for said in (
        "while it ran a.ipynb::test_b; its teardown could not run",
        "not run: the kernel died (exit status 3)",
        "b.ipynb cell 1: the kernel died (exit status 3)",
        "c.ipynb is not a notebook: it is not JSON",
        "there is no kernel 'nosuch'",
    ):
        assert said in result.output
    assert shell.kernels() == []
