# rule: failureException may be another class; assertions raise it, and it counts as a failure
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Wrong(Exception):
    pass


class TestA(unittest.TestCase):
    failureException = Wrong

    def test_one(self):
        try:
            self.assertEqual(1, 2)
        except Wrong as exc:
            ev(f"{type(exc).__name__} {exc}")

    def test_two(self):
        with self.assertRaises(Wrong):
            self.fail("message")
        ev("test_two")

    def test_three(self):
        self.assertTrue(False)
