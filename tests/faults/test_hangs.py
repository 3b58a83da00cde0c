"""What hangs, in each way and at each place, within its time: never green, and the rest goes on."""

from __future__ import annotations

import pytest
from many import LAST, Batch  # type: ignore[import-not-found] # beside this file

IMPORTS = "import asyncio, ctypes, itertools, os, re, signal, subprocess, sys, threading, time"
SWALLOW = "exec('while True:\\n try: time.sleep(99)\\n except BaseException: pass')"
# way: the code; whether it reacts to an interrupt
WAYS = {
    "sleep": ("time.sleep(99)", True),
    "busy": ("exec('while True: pass')", True),
    "lock": ("(lambda lock: (lock.acquire(), lock.acquire()))(threading.Lock())", True),
    "c_code": ("sum(itertools.repeat(1))", False),
    "c_sleep": ("ctypes.CDLL(None).sleep(99)", True),
    "system": ("os.system('sleep 99')", True),
    "subprocess": ("subprocess.run(['sleep', '99'])", True),
    "swallow": (SWALLOW, False),
    "keeps": ("exec('try: time.sleep(99)\\nexcept KeyboardInterrupt: pass')", True),
    "prints": ("exec('while True: print(\"x\" * 1000)')", True),
    "shows": ("exec('while True: display(1)')", True),
    "own_loop": ("asyncio.run(asyncio.sleep(99))", True),
    "stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", False),
}


@pytest.fixture(scope="module")
def batch(shells):
    """All of them in one run: in a test, in a teardown, and in a cell."""
    shell = shells()
    for name, (code, _) in WAYS.items():
        shell.write(f"{name}_test.ipynb", IMPORTS, f"def test_a():\n    {code}", LAST)
        shell.write(f"{name}_teardown.ipynb", IMPORTS, f"%%xunit_teardown module\n{code}", LAST)
        shell.write(f"{name}_cell.ipynb", IMPORTS, code, LAST)
    return Batch(shell, "--test-timeout", "1.5", "--cell-timeout", "1.5", timeout=500)


def test_the_run_goes_on(batch):
    """The notebook behind them runs, and nothing is left."""
    batch.went_on()


@pytest.mark.parametrize("name", WAYS)
def test_test_that_hangs(batch, name):
    """It fails, and the next test runs; where it does not react, both are errors."""
    told = batch.told(f"{name}_test")
    if WAYS[name][1]:
        assert told.counts == {"failed": 1, "passed": 1}, told.text
    else:
        assert told.counts == {"error": 2}, told.text
        assert "did not react to an interrupt, so the kernel was killed" in told.text
    assert "took longer than 1.5 s" in told.text
    assert told.seconds < 30


@pytest.mark.parametrize("name", WAYS)
def test_teardown_that_hangs(batch, name):
    """The teardown is an error; the test's own result counts."""
    told = batch.told(f"{name}_teardown")
    assert told.counts == {"passed": 1, "error": 1}, told.text
    assert "took longer than 1.5 s" in told.text


@pytest.mark.parametrize("name", [name for name in WAYS if name != "own_loop"])
def test_cell_that_hangs(batch, name):
    """The cell is an error that names it, and no test of its notebook runs."""
    told = batch.told(f"{name}_cell")
    assert told.counts == {"error": 1}, told.text
    assert "cell 2: cell 2 took longer than 1.5 s" in told.text
    assert told.seconds < 30


@pytest.mark.parametrize("code", ["time.sleep(99)", "ctypes.CDLL(None).sleep(99)"])
def test_notebook_that_hangs(shell, code):
    """A run that ends by the very signal that asks what it does is an error all the same."""
    shell.write("a.ipynb", IMPORTS, f"def test_a():\n    {code}", LAST)
    result = shell.run("a.ipynb", "--notebook-timeout", "6", width=200)
    assert result.exit == 1, result.output
    assert "the notebook took longer than 6 s" in result.output
    assert shell.kernels() == []
