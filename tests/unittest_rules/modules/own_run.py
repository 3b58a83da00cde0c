# rule: run and __call__ may be overridden, and debug runs a test without a result
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def run(self, result=None):
        ev(f"run {self._testMethodName}")
        return super().run(result)

    def test_one(self):
        ev("test_one")


class Inner(unittest.TestCase):
    def setUp(self):
        ev("Inner.setUp")

    def inner(self):
        ev("inner")


class TestB(unittest.TestCase):
    def test_debug(self):
        Inner("inner").debug()

    def test_result(self):
        result = unittest.TestResult()
        unittest.TestSuite([Inner("inner")]).run(result)
        ev(f"{result.testsRun} {result.wasSuccessful()}")
