# rule: exit() and quit() in a test are an error, whatever the status, and the next test runs
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_1(self):
        ev("test_1")
        exit(0)

    def test_2(self):
        ev("test_2")
