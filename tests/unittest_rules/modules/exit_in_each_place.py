# rule: SystemExit in setUp, a test, tearDown or a cleanup is an error; the rest of the test's life goes on
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        ev(self._testMethodName)
        self.addCleanup(ev, "cleanup")
        if "setup" in self._testMethodName:
            raise SystemExit(0)

    def tearDown(self):
        ev("tearDown")
        if "teardown" in self._testMethodName:
            raise SystemExit(0)

    def test_1_setup(self):
        ev("body")

    def test_2_body(self):
        raise SystemExit(0)

    def test_3_teardown(self):
        ev("body")

    def test_4_cleanup(self):
        self.addCleanup(exit, 0)
        self.addCleanup(quit)

    def test_5_subtest(self):
        with self.subTest():
            raise SystemExit(0)
        ev("goes on")
