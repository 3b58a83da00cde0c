# rule: a module context may be entered at import
import contextlib
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@contextlib.contextmanager
def context(name):
    ev(f"enter {name}")
    yield name.upper()
    ev(f"leave {name}")


value = unittest.enterModuleContext(context("a"))


def setUpModule():
    ev(f"setUpModule {value}")


class TestA(unittest.TestCase):
    def test_one(self):
        ev(f"test_one {value}")
