# rule: SkipTest in setUpClass and in class cleanups are skips; the class cleanups run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip(text):
    ev(text)
    raise unittest.SkipTest(text)


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("A.setUpClass")
        cls.addClassCleanup(skip, "A cleanup 1")
        cls.addClassCleanup(skip, "A cleanup 2")
        raise unittest.SkipTest("setUpClass")

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(skip, "B cleanup 1")
        cls.addClassCleanup(skip, "B cleanup 2")

    @classmethod
    def tearDownClass(cls):
        ev("B.tearDownClass")
        raise unittest.SkipTest("tearDownClass")

    def test_two(self):
        ev("B.test_two")
