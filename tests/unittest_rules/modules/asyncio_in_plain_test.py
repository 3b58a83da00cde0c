# rule: a plain test may run loops of its own, several and by each of asyncio's ways
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


async def add(a, b):
    await asyncio.sleep(0)
    return a + b


class TestA(unittest.TestCase):
    def test_run(self):
        ev(asyncio.run(add(1, 2)))
        ev(asyncio.run(add(3, 4), debug=True))

    def test_runner(self):
        with asyncio.Runner() as runner:
            ev(runner.run(add(1, 2)))
            ev(runner.run(add(5, 6)))

    def test_loop(self):
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        ev(loop.run_until_complete(add(7, 8)))

    def test_none_running(self):
        with self.assertRaises(RuntimeError):
            asyncio.get_running_loop()
        ev("none")

    def test_run_fails(self):
        async def fail():
            raise ValueError("inside")

        asyncio.run(fail())
