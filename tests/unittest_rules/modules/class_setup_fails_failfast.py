# rule: -f ends the run when setUpClass fails; the class cleanups and the module teardown run
# run: failfast
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def tearDownModule():
    ev("tearDownModule")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(ev, "A cleanup")
        raise ValueError("setUpClass")

    def test_one(self):
        ev("A.test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")
