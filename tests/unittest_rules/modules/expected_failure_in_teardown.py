# rule: expectedFailure does not expect an exception of tearDown
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def tearDown(self):
        ev("tearDown")
        raise ValueError("tearDown")

    @unittest.expectedFailure
    def test_one(self):
        ev("test_one")
        self.fail("as expected")
