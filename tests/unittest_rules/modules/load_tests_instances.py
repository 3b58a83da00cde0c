# rule: load_tests may build tests of one method with data of their own, and the same one twice
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("setUpClass")

    def __init__(self, name="test_value", value=None):
        super().__init__(name)
        self.value = value

    def setUp(self):
        ev(f"setUp {self.value}")

    def test_value(self):
        ev(f"test_value {self.value}")
        self.assertNotEqual(self.value, 2)


def load_tests(loader, tests, pattern):
    suite = unittest.TestSuite(TestA("test_value", value) for value in range(4))
    suite.addTest(TestA())
    return suite
