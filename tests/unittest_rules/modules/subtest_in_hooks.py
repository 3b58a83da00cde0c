# rule: subTest works in setUp, tearDown and cleanups, and a failure there marks the test
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        with self.subTest("setUp"):
            ev("setUp")
        self.addCleanup(self.clean)

    def clean(self):
        with self.subTest("cleanup"):
            ev("cleanup")
        ev("cleaned")

    def tearDown(self):
        with self.subTest("tearDown"):
            self.fail("tearDown")
        ev("tearDown goes on")

    def test_one(self):
        ev("test_one")
