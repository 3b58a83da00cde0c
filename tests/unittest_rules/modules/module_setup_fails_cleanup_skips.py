# rule: a SkipTest in a module cleanup does not hide that setUpModule failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip():
    ev("skips")
    raise unittest.SkipTest("in a cleanup")


def setUpModule():
    ev("setUpModule")
    unittest.addModuleCleanup(skip)
    raise ValueError("in setUpModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
