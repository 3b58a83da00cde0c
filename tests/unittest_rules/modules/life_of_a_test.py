# rule: tearDown runs when the test failed, not when setUp did; cleanups always, each of them
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        ev(f"setUp {self._testMethodName}")
        self.addCleanup(ev, "cleanup 1")
        self.addCleanup(self.fail, "cleanup 2")
        self.addCleanup(ev, "cleanup 3")
        if "setup" in self._testMethodName:
            raise ValueError("setUp")

    def tearDown(self):
        ev("tearDown")
        if "teardown" in self._testMethodName:
            raise ValueError("tearDown")

    def test_fails(self):
        self.fail("here")

    def test_passes(self):
        ev("passes")

    def test_setup(self):
        ev("not reached")

    def test_teardown(self):
        ev("body")
