# rule: -f ends a test at its first failed subTest and the run behind that test
# run: failfast
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")

    def tearDown(self):
        ev("tearDown")

    def test_one(self):
        self.addCleanup(ev, "cleanup")
        for i in range(3):
            with self.subTest(i=i):
                ev(f"sub {i}")
                self.assertNotEqual(i, 1)
        ev("behind")

    def test_two(self):
        ev("test_two")
