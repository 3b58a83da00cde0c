# rule: a class context whose __enter__ fails is not left; those before it are; the class has failed
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Context:
    def __init__(self, name, fails=False):
        self.name, self.fails = name, fails

    def __enter__(self):
        ev(f"enter {self.name}")
        if self.fails:
            raise OSError(self.name)

    def __exit__(self, *_):
        ev(f"leave {self.name}")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(Context("a"))
        cls.enterClassContext(Context("b", fails=True))

    @classmethod
    def tearDownClass(cls):
        ev("A.tearDownClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")
