# rule: expectedFailure expects an exception of the test itself, on methods and classes, and of subclasses
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def tearDown(self):
        ev(f"tearDown {self._testMethodName}")

    @unittest.expectedFailure
    def test_fails(self):
        self.fail("as expected")

    @unittest.expectedFailure
    def test_raises(self):
        raise ValueError("as expected")

    @unittest.expectedFailure
    def test_skips(self):
        self.skipTest("no failure")


@unittest.expectedFailure
class TestB(unittest.TestCase):
    def test_fails(self):
        ev("B.test_fails")
        self.fail("as expected")


class TestC(TestB):
    def test_fails_too(self):
        ev("C.test_fails_too")
        self.fail("as expected")
