# rule: a decorator may run the coroutine of a test itself, and what it raises is the test's
import asyncio
import functools
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def with_loop(function):
    @functools.wraps(function)
    def run(*args):
        asyncio.run(function(*args))
        ev(f"ran {function.__name__}")

    return run


class TestA(unittest.TestCase):
    def setUp(self):
        ev("setUp")

    @with_loop
    async def test_passes(self):
        await asyncio.sleep(0)
        ev("test_passes")

    @with_loop
    async def test_fails(self):
        self.addCleanup(ev, "cleanup")
        await asyncio.sleep(0)
        self.fail("here")

    @with_loop
    async def test_skips(self):
        self.skipTest("no")

    @unittest.expectedFailure
    @with_loop
    async def test_expected(self):
        raise ValueError("expected")
