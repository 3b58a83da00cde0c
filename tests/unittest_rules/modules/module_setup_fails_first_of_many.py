# rule: after setUpModule failed nothing below runs, whatever the classes hold
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    ev("setUpModule")
    raise AssertionError("setUpModule")


def tearDownModule():
    ev("tearDownModule")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("A.setUpClass")

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        ev("B.asyncSetUp")

    async def test_two(self):
        ev("B.test_two")
