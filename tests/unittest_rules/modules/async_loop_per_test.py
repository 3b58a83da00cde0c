# rule: each test has a loop of its own, in debug mode; outside a test no loop runs
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


loops = []


class TestA(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        ev(asyncio._get_running_loop())

    async def asyncSetUp(self):
        self.loop = asyncio.get_running_loop()
        loops.append(self.loop)

    async def test_one(self):
        ev(f"{asyncio.get_running_loop() is self.loop} {self.loop.get_debug()}")

    async def test_two(self):
        ev(f"{asyncio.get_running_loop() is self.loop} {self.loop.get_debug()}")

    async def asyncTearDown(self):
        ev(asyncio.get_running_loop() is self.loop)

    def tearDown(self):
        ev(asyncio._get_running_loop())

    @classmethod
    def tearDownClass(cls):
        ev(f"{len(set(loops))} loops, closed: {[loop.is_closed() for loop in loops]}")
