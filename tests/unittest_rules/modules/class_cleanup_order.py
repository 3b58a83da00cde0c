# rule: class cleanups run after tearDownClass, last added first, with arguments and keywords
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(ev, "first")
        cls.addClassCleanup(lambda *args, **kwargs: ev(f"{args} {kwargs}"), 1, key=2)

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
        cls.addClassCleanup(ev, "by tearDownClass")

    def test_one(self):
        ev("test_one")
        self.addClassCleanup(ev, "by test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("test_two")
