# rule: runTest is the test of a class without test methods, and of no other
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        ev("A.setUp")

    def runTest(self):
        ev(f"A.{self._testMethodName}")


class TestB(unittest.TestCase):
    def runTest(self):
        ev("B.runTest")

    def test_one(self):
        ev("B.test_one")


class TestC(TestA):
    pass
