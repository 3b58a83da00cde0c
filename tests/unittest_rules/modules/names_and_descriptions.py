# rule: id, str and shortDescription tell module, class and method, and the docstring's first line
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        """What is promised.

        And more.
        """
        ev(self.id().rpartition(__name__)[2])
        ev(self.shortDescription())
        with self.subTest("message", i=1):
            ev(self._subtest.id().partition("test_one")[2])
            ev(self._subtest._subDescription())

    def test_two(self):
        ev(f"{self.shortDescription()} {self._testMethodName} {self.countTestCases()}")
