# rule: a failed subTest does not end its test; the code behind it, tearDown and cleanups run
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def tearDown(self):
        ev("tearDown")

    def test_one(self):
        self.addCleanup(ev, "cleanup")
        for i in range(4):
            with self.subTest("square", i=i, text="a b"):
                ev(f"sub {i}")
                self.assertNotEqual(i % 2, 1)
                ev(f"sub {i} passed")
        ev("behind")

    def test_two(self):
        ev("test_two")
