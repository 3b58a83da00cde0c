# rule: doClassCleanups runs the class cleanups now, and none runs twice
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(ev, "first")
        cls.addClassCleanup(ev, "second")
        cls.doClassCleanups()
        ev("setUpClass")
        cls.addClassCleanup(ev, "third")

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")

    def test_one(self):
        ev("test_one")
        self.addClassCleanup(ev, "fourth")
        self.doClassCleanups()
        self.addClassCleanup(ev, "fifth")
