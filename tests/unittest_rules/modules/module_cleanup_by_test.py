# rule: a module cleanup that a test, a setUpClass or a class cleanup adds runs after tearDownModule
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
        unittest.addModuleCleanup(ev, "by setUpClass")
        cls.addClassCleanup(unittest.addModuleCleanup, ev, "by a class cleanup")

    def test_one(self):
        unittest.addModuleCleanup(ev, "by a test")
        self.addCleanup(unittest.addModuleCleanup, ev, "by a cleanup")
        ev("test_one")


class TestB(unittest.TestCase):
    def test_two(self):
        ev("test_two")
