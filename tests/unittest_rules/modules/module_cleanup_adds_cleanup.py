# rule: a module cleanup may add another one, which runs next
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def again(depth):
    ev(f"cleanup {depth}")
    if depth:
        unittest.addModuleCleanup(again, depth - 1)


def setUpModule():
    unittest.addModuleCleanup(ev, "outermost")
    unittest.addModuleCleanup(again, 2)


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
