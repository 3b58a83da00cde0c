# rule: setUpModule and tearDownModule run although every class of the module is skipped
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    ev("setUpModule")
    unittest.addModuleCleanup(ev, "module cleanup")


def tearDownModule():
    ev("tearDownModule")


@unittest.skip("the class")
class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("setUpClass")

    def setUp(self):
        ev("setUp")

    def test_one(self):
        ev("test_one")

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")
