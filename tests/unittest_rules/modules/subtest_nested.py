# rule: subTests may be nested; the inner failure ends the inner one and marks the test
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        with self.subTest("outer", a=1):
            with self.subTest("inner", b=2):
                ev("inner")
                self.fail("inner")
            ev("outer goes on")
            raise ValueError("outer")
        ev("behind")

    def test_three(self):
        with self.subTest("outer"):
            with self.subTest("inner"):
                ev("passes")
