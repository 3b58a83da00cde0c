# rule: setUp, asyncSetUp, the test, asyncTearDown, tearDown, then the cleanups of both kinds, last added first
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        ev("setUpClass")

    def setUp(self):
        ev("setUp")
        self.addCleanup(ev, "cleanup of setUp")

    async def asyncSetUp(self):
        ev("asyncSetUp")
        self.addAsyncCleanup(self.later, "async cleanup of asyncSetUp")

    async def later(self, text, *, suffix=""):
        ev(text + suffix)

    async def test_one(self):
        self.addCleanup(ev, "cleanup of the test")
        self.addAsyncCleanup(self.later, "async cleanup of the test", suffix="!")
        ev("test_one")

    def test_sync(self):
        ev("test_sync")

    async def asyncTearDown(self):
        ev("asyncTearDown")

    def tearDown(self):
        ev("tearDown")

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
