# rule: each class cleanup runs even if others raise, also after tearDownClass raised
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def fail_with(cls, text):
        ev(text)
        raise RuntimeError(text)

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(ev, "last")
        cls.addClassCleanup(cls.fail_with, "second failure")
        cls.addClassCleanup(cls.fail_with, "first failure")

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
        raise ValueError("tearDownClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")
