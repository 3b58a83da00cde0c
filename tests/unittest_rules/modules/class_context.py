# rule: enterClassContext leaves its contexts as class cleanups, after tearDownClass
import contextlib
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@contextlib.contextmanager
def context(name):
    ev(f"enter {name}")
    yield name.upper()
    ev(f"leave {name}")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = cls.enterClassContext(context("a"))
        cls.addClassCleanup(ev, "cleanup")
        cls.enterClassContext(context("b"))

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")

    def test_one(self):
        ev(f"test_one {self.value}")
