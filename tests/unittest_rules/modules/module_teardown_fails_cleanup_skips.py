# rule: a SkipTest in a module cleanup does not hide that tearDownModule failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip():
    ev("skips")
    raise unittest.SkipTest("in a cleanup")


def setUpModule():
    unittest.addModuleCleanup(skip)


def tearDownModule():
    ev("tearDownModule")
    raise KeyError("tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
