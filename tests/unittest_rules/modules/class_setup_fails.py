# rule: after setUpClass failed no test and no tearDownClass of the class runs, the cleanups do
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("A.setUpClass")
        cls.addClassCleanup(ev, "A cleanup 1")
        cls.addClassCleanup(ev, "A cleanup 2")
        raise AssertionError("setUpClass")

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def setUp(self):
        ev("A.setUp")

    def test_one(self):
        ev("A.test_one")

    def test_two(self):
        ev("A.test_two")


class TestB(TestA):
    @classmethod
    def setUpClass(cls):
        ev("B.setUpClass")
