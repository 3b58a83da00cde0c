# rule: skip, skipIf and skipUnless on methods run neither setUp nor the test; setUpClass runs
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("setUpClass")

    def setUp(self):
        ev(f"setUp {self._testMethodName}")

    @unittest.skip("always")
    def test_1(self):
        ev("test_1")

    @unittest.skipIf(True, "true")
    def test_2(self):
        ev("test_2")

    @unittest.skipIf(False, "false")
    def test_3(self):
        ev("test_3")

    @unittest.skipUnless(False, "unless false")
    def test_4(self):
        ev("test_4")

    @unittest.skipUnless(True, "unless true")
    def test_5(self):
        ev("test_5")

    @unittest.skip
    def test_6(self):
        ev("test_6")
