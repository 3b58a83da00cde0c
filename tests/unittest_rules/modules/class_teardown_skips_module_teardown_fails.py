# rule: a SkipTest in tearDownClass does not hide that tearDownModule failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def tearDownModule():
    ev("tearDownModule")
    raise ValueError("tearDownModule")


class TestA(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
        raise unittest.SkipTest("tearDownClass")

    def test_one(self):
        ev("test_one")
