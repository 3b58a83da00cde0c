# rule: a skipped subTest ends that subTest alone, and the run passes
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        for i in range(3):
            with self.subTest(i=i):
                ev(f"sub {i}")
                if i == 1:
                    self.skipTest("one")
                ev(f"sub {i} ended")
        ev("behind")

    def test_two(self):
        with self.subTest("all"):
            raise unittest.SkipTest("all of it")
