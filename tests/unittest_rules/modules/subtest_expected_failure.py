# rule: a failed subTest of an expected failure is expected
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @unittest.expectedFailure
    def test_one(self):
        for i in range(3):
            with self.subTest(i=i):
                ev(f"sub {i}")
                self.assertNotEqual(i, 1)
        ev("behind")
