# rule: a skipped class runs no hook of its own, and its subclasses are skipped as well
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@unittest.skip("the class")
class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev(f"setUpClass {cls.__name__}")

    @classmethod
    def tearDownClass(cls):
        ev(f"tearDownClass {cls.__name__}")

    def test_one(self):
        ev(f"test_one {type(self).__name__}")


class TestB(TestA):
    def test_two(self):
        ev("test_two")


@unittest.skipUnless(False, "never")
class TestC(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        ev("asyncSetUp")

    async def test_three(self):
        ev("test_three")


class TestD(unittest.TestCase):
    def test_four(self):
        ev("test_four")
