# rule: contexts are left without an exception, whatever the tests did; one that raises is an error
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Context:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        ev(f"leave {self.name} {kind} {value} {traceback}")
        raise RuntimeError(self.name)


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(Context("of the class"))

    def test_one(self):
        self.enterContext(Context("of the test"))
        self.fail("here")
