# rule: enterModuleContext enters at once, returns what __enter__ returns, leaves after tearDownModule
import contextlib
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@contextlib.contextmanager
def context(name):
    ev(f"enter {name}")
    try:
        yield name.upper()
    finally:
        ev(f"leave {name}")


def setUpModule():
    global value
    value = unittest.enterModuleContext(context("a"))
    unittest.enterModuleContext(context("b"))


def tearDownModule():
    ev("tearDownModule")


class TestA(unittest.TestCase):
    def test_one(self):
        ev(f"test_one {value}")
