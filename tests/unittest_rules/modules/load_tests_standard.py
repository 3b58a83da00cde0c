# rule: load_tests is given the standard tests and may return them, nested
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")


def load_tests(loader, tests, pattern):
    ev(f"{type(loader).__name__} {tests.countTestCases()}")
    return unittest.TestSuite([unittest.TestSuite(list(tests)[::-1])])
