# rule: SkipTest in tearDown does not hide that the test failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def tearDown(self):
        ev("tearDown")
        self.skipTest("in tearDown")

    def test_one(self):
        self.fail("first")
