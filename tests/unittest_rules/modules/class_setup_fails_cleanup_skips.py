# rule: a SkipTest in a class cleanup does not hide that setUpClass failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip():
    ev("skips")
    raise unittest.SkipTest("in a cleanup")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(skip)
        raise ValueError("setUpClass")

    def test_one(self):
        ev("test_one")
