# rule: a plain class is no test, whatever its name: its tests run in the TestCases that derive from it
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestBase:
    value = None

    def setUp(self):
        ev(f"{type(self).__name__}.setUp")

    def test_value(self):
        self.assertIsNotNone(self.value)
        ev(f"{type(self).__name__}.test_value")


class TestMore(TestBase):
    def test_more(self):
        self.assertTrue(self.value)
        ev(f"{type(self).__name__}.test_more")


class TestOne(TestBase, unittest.TestCase):
    value = 1


class TestTwo(TestMore, unittest.TestCase):
    value = 2
