# rule: a TestCase may have a constructor of its own, one instance a test
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    instances = []

    def __init__(self, methodName="runTest"):
        super().__init__(methodName)
        self.fresh = True

    def test_one(self):
        ev(self.fresh)
        self.fresh = False

    def test_two(self):
        ev(self.fresh)
        self.fresh = False
