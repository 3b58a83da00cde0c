# rule: tearDownModule that raises is an error; the module cleanups run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    unittest.addModuleCleanup(ev, "module cleanup")


def tearDownModule():
    ev("tearDownModule")
    raise KeyError("tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
