# rule: doCleanups runs the cleanups now, and none runs twice
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        self.addCleanup(ev, "first")

    def tearDown(self):
        ev("tearDown")

    def test_one(self):
        self.addCleanup(ev, "second")
        ev(f"doCleanups {self.doCleanups()}")
        self.addCleanup(ev, "third")
