# rule: asyncSetUp that raises runs neither the test nor the teardowns, but the cleanups
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.addCleanup(ev, "cleanup")

    async def asyncSetUp(self):
        self.addAsyncCleanup(self.clean)
        raise ValueError("asyncSetUp")

    async def clean(self):
        ev("async cleanup")

    async def test_one(self):
        ev("test_one")

    async def asyncTearDown(self):
        ev("asyncTearDown")

    def tearDown(self):
        ev("tearDown")
