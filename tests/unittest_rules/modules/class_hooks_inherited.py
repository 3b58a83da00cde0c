# rule: setUpClass and tearDownClass are inherited, run once a class, and reach the base by super
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev(f"A.setUpClass of {cls.__name__}")
        cls.addClassCleanup(ev, f"cleanup of {cls.__name__}")

    @classmethod
    def tearDownClass(cls):
        ev(f"A.tearDownClass of {cls.__name__}")

    def test_one(self):
        ev(f"test_one of {type(self).__name__}")


class TestB(TestA):
    pass


class TestC(TestA):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ev("C.setUpClass")

    @classmethod
    def tearDownClass(cls):
        ev("C.tearDownClass")
        super().tearDownClass()
