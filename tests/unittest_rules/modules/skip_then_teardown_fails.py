# rule: an exception in tearDown counts although the test was skipped
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def tearDown(self):
        ev("tearDown")
        raise ValueError("tearDown")

    def test_one(self):
        self.skipTest("in the test")
