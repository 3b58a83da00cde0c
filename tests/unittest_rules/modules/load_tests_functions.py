# rule: load_tests may return function test cases and doctests
import doctest
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def double(n):
    """Double a number.

    >>> ev("doctest")
    >>> double(4)
    8
    """
    return 2 * n


def check():
    ev("check")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")


def load_tests(loader, tests, pattern):
    tests.addTest(unittest.FunctionTestCase(check, lambda: ev("before"), lambda: ev("after")))
    tests.addTests(doctest.DocTestSuite())
    return tests
