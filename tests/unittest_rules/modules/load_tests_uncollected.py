# rule: load_tests may add tests that the loader does not find by their names
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Helper(unittest.TestCase):
    def check_one(self):
        ev("check_one")

    def test_two(self):
        ev("test_two")


def load_tests(loader, tests, pattern):
    return unittest.TestSuite([Helper("check_one"), Helper("test_two")])
