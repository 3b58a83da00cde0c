# rule: a SkipTest in tearDownClass does not hide that a class cleanup failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def fail():
    ev("fails")
    raise RuntimeError("in a cleanup")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(fail)

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
        raise unittest.SkipTest("tearDownClass")

    def test_one(self):
        ev("test_one")
