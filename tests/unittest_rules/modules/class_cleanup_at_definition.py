# rule: a class cleanup that is added behind the class statement runs with its class
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        ev("A.test_one")


TestA.addClassCleanup(ev, "A cleanup")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("B.test_two")
