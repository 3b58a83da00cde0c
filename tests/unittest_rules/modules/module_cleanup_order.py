# rule: module cleanups run after tearDownModule, last added first, with arguments and keywords
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    ev("setUpModule")
    unittest.addModuleCleanup(ev, "first")
    unittest.addModuleCleanup(lambda *args, **kwargs: ev(f"{args} {kwargs}"), 1, 2, key=3)


def tearDownModule():
    ev("tearDownModule")
    unittest.addModuleCleanup(ev, "added by tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
