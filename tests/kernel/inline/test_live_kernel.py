"""One kernel that lives through many runs of every kind is afterwards the kernel that it was."""

from __future__ import annotations

import itertools
import json

import live

DEFINITIONS = """
import asyncio, os, signal, threading, time, unittest
import pytest

loop = asyncio.get_running_loop()
ticks = []
async def tick():
    while True:
        ticks.append(1)
        await asyncio.sleep(0.01)
ticker = asyncio.create_task(tick())

def interrupt_soon():
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

def test_sync(): pass
async def test_async():
    await asyncio.sleep(0.01)
    assert asyncio.get_running_loop() is loop
def test_own_loop(): asyncio.run(asyncio.sleep(0))
def test_fails(): assert ticks == 0
async def test_fails_async():
    await asyncio.sleep(0)
    raise LookupError
async def test_limits_itself():
    async with asyncio.timeout(0.05):
        await asyncio.sleep(30)
@pytest.mark.timeout(0.2)
def test_times_out(): time.sleep(30)
@pytest.mark.timeout(0.2)
async def test_times_out_async(): await asyncio.sleep(30)
def test_interrupted():
    interrupt_soon()
    time.sleep(30)
async def test_interrupted_async():
    interrupt_soon()
    await asyncio.sleep(30)
class Case(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self): await asyncio.sleep(0)
    async def test_passes(self): self.left = asyncio.create_task(asyncio.sleep(30))
    async def test_fails(self): self.fail("here")
    async def test_times_out(self): await asyncio.wait_for(asyncio.sleep(30), 0.05)
    async def test_interrupted(self):
        interrupt_soon()
        await asyncio.sleep(30)
"""
ENDS = {
    "test_sync": "",
    "test_async": "",
    "test_own_loop": "",
    "test_fails": "TestsFailed",
    "test_fails_async": "TestsFailed",
    "test_limits_itself": "TestsFailed",
    "test_times_out": "TestsFailed",
    "test_times_out_async": "TestsFailed",
    "test_interrupted": "KeyboardInterrupt",
    "test_interrupted_async": "KeyboardInterrupt",
    "Case::test_passes": "",
    "Case::test_fails": "TestsFailed",
    "Case::test_times_out": "TestsFailed",
    "Case::test_interrupted": "KeyboardInterrupt",
}
STATE = """
def _state():
    import gc, json
    gc.collect()
    loops = [each for each in gc.get_objects() if isinstance(each, asyncio.AbstractEventLoop)]
    print(json.dumps({
        "loops": len([each for each in loops if not each.is_closed()]),
        "threads": sorted(each.name for each in threading.enumerate()),
        "files": len(os.listdir("/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd")),
        "tasks": len(asyncio.all_tasks()) - 1,
        "handlers": [repr(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGALRM)],
        "timer": signal.getitimer(signal.ITIMER_REAL),
    }))
_state()
"""


def test_kernel_is_as_before(tmp_path, pytestconfig):
    """Runs that pass, fail, time out and are interrupted leave loop, input and debugger whole."""
    runs = 200 if pytestconfig.getoption("long") else 42
    with live.started(tmp_path) as kernel:
        assert not kernel.run(DEFINITIONS, "definitions").error
        for name in ENDS:  # what is imported and opened once
            kernel.run(f"%xunit_run {name}")
        before = json.loads(kernel.run(STATE).text)
        for name in itertools.islice(itertools.cycle(ENDS), runs):
            reply = kernel.run(f"%xunit_run {name}")
            assert reply.error == ENDS[name], reply.text
        after = json.loads(kernel.run(STATE).text)
        # ipykernel opens one now and then; a run that left one would leave as many as there are runs.
        assert after.pop("files") - before.pop("files") < runs // 10
        assert after == before

        assert not kernel.run(
            "assert asyncio.get_running_loop() is loop\n"
            "count = len(ticks)\n"
            "await asyncio.sleep(0.1)\n"
            "assert len(ticks) > count and not ticker.done()\n"
            "assert not asyncio.current_task().cancelling()"
        ).error
        assert "hello you" in kernel.run("print('hello', input('who? '))", answers=["you"]).text
        failing = "def fail():\n    secret = 6 * 7\n    secret / 0\nfail()"
        assert kernel.run(failing).error == "ZeroDivisionError"
        debugged = kernel.run("%debug", answers=["p 'secret', secret", "q"])
        assert "('secret', 42)" in debugged.text
        assert kernel.run("await asyncio.sleep(0, 5)").text.strip() == "5"
