# rule: a test may run a suite with class and module hooks of its own
import io
import os
import sys
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Inner(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ev("Inner.setUpClass")
        cls.addClassCleanup(ev, "Inner cleanup")

    def check(self):
        ev("check")
        self.fail("inner")


class TestA(unittest.TestCase):
    def test_one(self):
        suite = unittest.TestSuite([Inner("check")])
        result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=2).run(suite)
        ev(f"{len(result.failures)} {len(result.errors)} {sys.modules[__name__] is not None}")
