# rule: a module cleanup added at import runs also when setUpModule fails
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


unittest.addModuleCleanup(ev, "at import")


def setUpModule():
    unittest.addModuleCleanup(ev, "in setUpModule")
    raise ValueError("setUpModule")


def tearDownModule():
    ev("tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
