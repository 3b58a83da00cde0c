# rule: a SkipTest in setUpModule and one in a module cleanup are skips
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
    raise unittest.SkipTest("in setUpModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
