# rule: a module cleanup that is added at import runs at the end of the module
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


unittest.addModuleCleanup(ev, "at import")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("test_two")
