# rule: -f ends the run when setUpModule fails; the module cleanups run
# run: failfast
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    unittest.addModuleCleanup(ev, "module cleanup")
    raise ValueError("setUpModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("test_two")
