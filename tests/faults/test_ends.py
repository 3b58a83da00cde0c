"""Kernels that end, in each way and at each place: never silently, never green, with their last words."""

from __future__ import annotations

import pytest
from many import LAST, Batch  # type: ignore[import-not-found] # beside this file

SOON = 20.0
"""Seconds for one notebook, on a machine that is busy; it takes less than one."""
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
    "by_a_thread": ("threading.Timer(0.2, os._exit, [7]).start(); time.sleep(9)", "exit status 7"),
    "by_a_child": (
        "os.spawnlp(os.P_NOWAIT, 'sh', 'sh', '-c', f'kill -9 {os.getpid()}'); time.sleep(9)",
        "killed by SIGKILL",
    ),
    "exec": ("os.execv('/bin/true', ['true'])", "exit status 0"),
    "alarm": ("signal.alarm(1); time.sleep(9)", "killed by SIGALRM"),
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
def batch(shells):
    """All of them in one run."""
    shell = shells()
    for name, (code, _) in DEATHS.items():
        for place, (cells, _, _) in PLACES.items():
            ready = [cell.replace("CODE", code) for cell in cells]
            shell.write(f"death_{name}_{place}.ipynb", IMPORTS, *ready)
    for hook in HOOKS:
        kind, _, rest = hook.partition(" ")
        cells = ["def test_0(): pass", "class TestA:\n    def test_1(self): pass", LAST]
        shell.write(
            f"hook_{hook.replace(' ', '_')}.ipynb",
            IMPORTS,
            f"%%xunit_{kind} {rest}\nos._exit(3)",
            *cells,
        )
    for name, (code, _) in EXITS.items():
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
def test_death(batch, name, place):
    """A dead kernel is told with its signal or status, its place and its last words, soon."""
    told = batch.told(f"death_{name}_{place}")
    _, counts, where = PLACES[place]
    assert told.counts == counts, told.text
    assert DEATHS[name][1] in told.text
    assert where.replace("NAME", name) in told.text
    assert "last words" in told.text
    assert told.seconds < SOON


@pytest.mark.parametrize("hook", HOOKS)
def test_death_in_a_hook(batch, hook):
    """The test around which the hook ran is an error, and those behind it say that they did not run."""
    told = batch.told(f"hook_{hook.replace(' ', '_')}")
    test, counts, said = HOOKS[hook]
    assert told.counts == counts, told.text
    assert f"{test}: the kernel died (exit status 3)" in told.text
    assert said in told.text
    assert told.seconds < SOON


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_test(batch, name):
    """A test that ends the kernel in order fails, and the next one runs."""
    told = batch.told(f"exit_{name}_test")
    assert told.counts == {"failed": 1, "passed": 1}, told.text
    assert EXITS[name][1] in told.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_test_that_awaits(batch, name):
    """The same in a coroutine, where a loop that is stopped ends the kernel."""
    told = batch.told(f"exit_{name}_await")
    if name == "loop":
        assert told.counts == {"error": 2}, told.text
        assert "the kernel died (exit status 0)" in told.text
    else:
        assert told.counts == {"failed": 1, "passed": 1}, told.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_hook(batch, name):
    """A hook that ends the kernel in order is an error of the tests it is for."""
    told = batch.told(f"exit_{name}_hook")
    assert told.counts == {"error": 1}, told.text
    assert EXITS[name][1] in told.text


@pytest.mark.parametrize("name", EXITS)
def test_exit_in_a_cell(batch, name):
    """A cell that ends the kernel in order is an error, and no test of its notebook runs."""
    told = batch.told(f"exit_{name}_cell")
    assert told.counts == {"error": 1}, told.text
    assert ENDS.get(name, EXITS[name][1]) in told.text
