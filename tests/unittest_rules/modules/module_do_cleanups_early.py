# rule: doModuleCleanups runs the module cleanups now, and none runs twice
import os
import unittest
from unittest.case import doModuleCleanups


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    unittest.addModuleCleanup(ev, "first")
    unittest.addModuleCleanup(ev, "second")


class TestA(unittest.TestCase):
    def test_one(self):
        doModuleCleanups()
        ev("test_one")
        unittest.addModuleCleanup(ev, "third")
