# rule: SkipTest in tearDownClass, a class cleanup, tearDownModule and a module cleanup are all skips
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def skip(text):
    ev(text)
    raise unittest.SkipTest(text)


def setUpModule():
    unittest.addModuleCleanup(skip, "module cleanup")


def tearDownModule():
    skip("tearDownModule")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(skip, "class cleanup")

    @classmethod
    def tearDownClass(cls):
        skip("tearDownClass")

    def test_one(self):
        ev("test_one")
