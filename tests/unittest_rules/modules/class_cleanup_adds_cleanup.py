# rule: a class cleanup may add another one
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def again(cls, depth):
        ev(f"cleanup {depth}")
        if depth:
            cls.addClassCleanup(cls.again, depth - 1)

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(cls.again, 2)

    def test_one(self):
        ev("test_one")
