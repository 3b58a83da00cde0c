# rule: a skipped subTest does not hide a failed one, nor a failure behind it
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        with self.subTest("skipped"):
            self.skipTest("first")
        with self.subTest("failed"):
            self.fail("second")
        ev("behind")

    def test_two(self):
        with self.subTest("skipped"):
            self.skipTest("first")
        ev("then")
        self.fail("behind")
