# rule: what a cleanup raises in an early doCleanups fails the test, which goes on
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        self.addCleanup(lambda: 1 / 0)
        ev(f"doCleanups {self.doCleanups()}")
