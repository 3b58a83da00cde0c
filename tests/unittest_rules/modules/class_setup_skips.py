# rule: SkipTest in setUpClass skips the class, and the run passes
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("A.setUpClass")
        cls.addClassCleanup(ev, "A cleanup")
        raise unittest.SkipTest("not here")

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")
