"""What hangs, in each way and at each place, within its time: never green, and the rest goes on."""

from __future__ import annotations

import pytest
from many import LAST, NOW, Batch

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
    "ignores": ("signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(99)", False),
    "handles": ("signal.signal(signal.SIGINT, signal.default_int_handler); time.sleep(99)", True),
    "stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", False),
}
SOON = 20.0
"""Seconds: 1.5 s until it is interrupted, half a second to tell stacks, 2 s until it is killed, one to
report it; three times that, and five for a busy machine."""
AWAITS = """\
async def inner(): await asyncio.sleep(99)
async def test_a():
    __import__("nbxunit").add_cleanup(exec, "cleaned = 'up'", globals())
    await inner()
"""


@pytest.fixture(scope="module")
def batch(shells, rows):
    """All of them in one run: in a test, in a teardown, and in a cell."""
    shell = shells()
    for name in rows(WAYS):
        code, _ = WAYS[name]
        for place, above in (
            ("test", "def test_a():"),
            ("teardown", "%%xunit_teardown module"),
            ("cell", "if 1:"),
        ):
            now = NOW.replace("NAME", f"{name}_{place}")
            shell.write(f"{name}_{place}.ipynb", IMPORTS, f"{above}\n    {now}; {code}", LAST)
    shell.write("deep_cell.ipynb", IMPORTS, "def f():\n    time.sleep(99)\nf()", LAST)
    shell.write("deep_test.ipynb", IMPORTS, AWAITS, "def test_last(): assert cleaned == 'up'")
    # They wait for the most part, so that more of them run at once than elsewhere.
    return Batch(shell, "--test-timeout", "1.5", "--cell-timeout", "1.5", "-n", "8", timeout=500)


def test_the_run_goes_on(batch):
    """The notebook behind them runs, and nothing is left."""
    batch.went_on()


@pytest.mark.parametrize("name", WAYS)
def test_test_that_hangs(told, name):
    """It fails, and the next test runs; where it does not react, both are errors."""
    it = told(f"{name}_test")
    if WAYS[name][1]:
        assert it.counts == {"failed": 1, "passed": 1}, it.text
    else:
        assert it.counts == {"error": 2}, it.text
        assert "did not react to an interrupt, so the kernel was killed" in it.text
    assert "took longer than 1.5 s" in it.text
    assert it.seconds < SOON


@pytest.mark.parametrize("name", WAYS)
def test_teardown_that_hangs(told, name):
    """The teardown is an error; the test's own result counts."""
    it = told(f"{name}_teardown")
    assert it.counts == {"passed": 1, "error": 1}, it.text
    assert "took longer than 1.5 s" in it.text
    assert it.seconds < SOON


@pytest.mark.parametrize("name", [name for name in WAYS if name != "own_loop"])
def test_cell_that_hangs(told, name):
    """The cell is an error that names it, and no test of its notebook runs."""
    it = told(f"{name}_cell")
    assert it.counts == {"error": 1}, it.text
    assert "cell 2: cell 2 took longer than 1.5 s" in it.text
    assert it.seconds < SOON


def test_stacks_of_a_cell(told):
    """The report of a cell that took too long says where it was."""
    text = told("deep_cell").text
    assert "cell 2, line 3, in <module>\n  cell 2, line 2, in f\n" in text


def test_stacks_of_a_test_that_awaits(told):
    """The report of a test that took too long says in what it waited; it is torn down."""
    it = told("deep_test")
    assert it.counts == {"failed": 1, "passed": 1}, it.text
    assert "cell 2, line 4, in test_a\n  cell 2, line 1, in inner\n" in it.text


def test_wait_that_ends_by_the_question(shell):
    """A wait that is cut short by the question what runs fails its test; the next ones pass."""
    pairs = (f"def test_{n}_a(): libc.sleep(99)\ndef test_{n}_b(): pass" for n in range(8))
    shell.write("a.ipynb", "import ctypes\nlibc = ctypes.CDLL(None)\n" + "\n".join(pairs))
    result = shell.run("a.ipynb", "--test-timeout", "0.3")
    assert result.counts == {"failed": 8, "passed": 8}, result.output
    assert result.output.count("What ran when the time was over") == 8, result.output


def test_subtests_without_end(shell):
    """A test that reports subtests for ever fails for its time as any other does."""
    source = """\
import time, unittest
class TestIt(unittest.TestCase):
    def test_a(self):
        while True:
            with self.subTest(): time.sleep(0.02)
"""
    shell.write("a.ipynb", source, LAST)
    result = shell.run("a.ipynb", "--test-timeout", "1")
    assert "Failed: the test took longer than 1 s and was interrupted" in result.output, (
        result.output
    )
    assert (result.counts["failed"], result.counts["passed"]) == (1, 1), result.output
