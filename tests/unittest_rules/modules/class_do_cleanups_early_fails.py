# rule: what doClassCleanups runs into early is kept in tearDown_exceptions, as the next call forgets it
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(ev, "kept")
        cls.addClassCleanup(lambda: 1 / 0)
        cls.doClassCleanups()
        ev(f"{len(cls.tearDown_exceptions)} {cls.tearDown_exceptions[0][0].__name__}")

    def test_one(self):
        ev("test_one")
