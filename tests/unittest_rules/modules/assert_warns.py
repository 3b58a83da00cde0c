# rule: assertWarns sees each warning, also one that was shown before, and fails where there is none
import os
import unittest
import warnings


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)
    return 1


class TestA(unittest.TestCase):
    def test_one(self):
        for _ in range(2):
            with self.assertWarns(DeprecationWarning) as caught:
                old()
            ev(caught.warning)

    def test_regex(self):
        with self.assertWarnsRegex(DeprecationWarning, "ol+d"):
            old()
        self.assertWarns(DeprecationWarning, old)
        ev("test_regex")

    def test_missing(self):
        with self.assertWarns(UserWarning):
            ev("no warning")
