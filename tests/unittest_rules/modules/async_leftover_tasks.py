# rule: tasks that a test leaves are cancelled at its end, and async generators are closed
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


async def forever(name):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ev(f"{name} cancelled")
        raise
    finally:
        ev(f"{name} ended")


async def numbers():
    try:
        while True:
            yield 1
    finally:
        ev("generator closed")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.task = asyncio.create_task(forever("task of asyncSetUp"))

    async def test_one(self):
        await asyncio.sleep(0)
        self.numbers = numbers()
        ev(await anext(self.numbers))

    async def asyncTearDown(self):
        ev(f"asyncTearDown {self.task.done()}")

    async def test_two(self):
        await asyncio.sleep(0)
        self.task.cancel()
        ev("test_two")
