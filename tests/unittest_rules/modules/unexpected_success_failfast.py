# rule: -f ends the run at an unexpected success
# run: failfast
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @unittest.expectedFailure
    def test_one(self):
        ev("test_one")

    def test_two(self):
        ev("test_two")
