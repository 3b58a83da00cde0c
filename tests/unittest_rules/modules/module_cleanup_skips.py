# rule: a SkipTest in a module cleanup is a skip, and the others run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip():
    ev("skips")
    raise unittest.SkipTest("in a cleanup")


def setUpModule():
    unittest.addModuleCleanup(ev, "last")
    unittest.addModuleCleanup(skip)


def tearDownModule():
    ev("tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
