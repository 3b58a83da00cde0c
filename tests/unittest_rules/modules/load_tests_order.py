# rule: load_tests decides what runs and in which order; a class is set up again when it comes again
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("A.setUpClass")

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def test_one(self):
        ev("A.test_one")

    def test_two(self):
        ev("A.test_two")

    def test_three(self):
        ev("A.test_three")


class TestB(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("B.setUpClass")
        cls.addClassCleanup(ev, "B cleanup")

    def test_four(self):
        ev("B.test_four")

    def test_five(self):
        ev("B.test_five")


def load_tests(loader, tests, pattern):
    names = [(TestA, "test_two"), (TestB, "test_four"), (TestA, "test_one"), (TestB, "test_five")]
    suite = unittest.TestSuite()
    for cls, name in names:
        suite.addTest(cls(name))
    return suite
