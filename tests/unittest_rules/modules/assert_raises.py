# rule: assertRaises keeps the exception, clears its frames, and lets others through
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        with self.assertRaises(ZeroDivisionError) as caught:
            1 / 0
        ev(f"{caught.exception} {caught.exception.__traceback__ is None}")

    def test_other(self):
        with self.assertRaises(KeyError):
            raise ValueError("other")

    def test_none(self):
        with self.assertRaisesRegex(ValueError, "x"):
            ev("none")
