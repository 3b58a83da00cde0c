# rule: an exception in load_tests fails the run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")


def load_tests(loader, tests, pattern):
    raise RuntimeError("load_tests")
