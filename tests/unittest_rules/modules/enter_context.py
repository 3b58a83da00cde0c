# rule: enterContext returns what __enter__ returns and leaves as a cleanup, behind tearDown
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
    def setUp(self):
        self.value = self.enterContext(context("a"))
        self.addCleanup(ev, "cleanup")

    def tearDown(self):
        ev("tearDown")

    def test_one(self):
        ev(f"{self.value} {self.enterContext(context('b'))}")
