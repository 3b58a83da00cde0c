# rule: SkipTest in setUp skips test and tearDown, not the cleanups; in a test it runs both
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        ev(f"setUp {self._testMethodName}")
        self.addCleanup(ev, "cleanup")
        if self._testMethodName == "test_one":
            self.skipTest("in setUp")

    def tearDown(self):
        ev("tearDown")

    def test_one(self):
        ev("test_one")

    def test_two(self):
        raise unittest.SkipTest("in the test")

    def test_three(self):
        self.addCleanup(self.skipTest, "in a cleanup")
        ev("test_three")
