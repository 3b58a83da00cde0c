# rule: each module cleanup runs even if others raise, and the run fails
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def fail(text):
    ev(text)
    raise RuntimeError(text)


def setUpModule():
    unittest.addModuleCleanup(ev, "last")
    unittest.addModuleCleanup(fail, "second failure")
    unittest.addModuleCleanup(ev, "between")
    unittest.addModuleCleanup(fail, "first failure")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
