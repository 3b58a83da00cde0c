# rule: a failure behind a skipped subTest fails the run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        with self.subTest("skipped"):
            self.skipTest("first")
        ev("then")
        raise RuntimeError("behind")
