# rule: expectedFailure does not expect an exception of setUp
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def setUp(self):
        self.addCleanup(ev, "cleanup")
        raise ValueError("setUp")

    @unittest.expectedFailure
    def test_one(self):
        ev("test_one")
