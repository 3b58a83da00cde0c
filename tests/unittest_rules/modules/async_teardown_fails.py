# rule: asyncTearDown that raises does not keep tearDown and the cleanups from running
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.addAsyncCleanup(self.clean, "first")
        self.addAsyncCleanup(self.clean, "second")

    async def clean(self, text):
        ev(text)
        raise RuntimeError(text)

    async def test_one(self):
        ev("test_one")

    async def asyncTearDown(self):
        ev("asyncTearDown")
        raise ValueError("asyncTearDown")

    def tearDown(self):
        ev("tearDown")
