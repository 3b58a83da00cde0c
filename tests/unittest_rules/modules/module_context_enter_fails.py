# rule: a module context whose __enter__ fails fails the module and is not left; earlier ones are
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Context:
    def __init__(self, name, fails=False):
        self.name, self.fails = name, fails

    def __enter__(self):
        ev(f"enter {self.name}")
        if self.fails:
            raise OSError(self.name)

    def __exit__(self, *_):
        ev(f"leave {self.name}")


def setUpModule():
    unittest.enterModuleContext(Context("a"))
    unittest.enterModuleContext(Context("b", fails=True))


class TestA(unittest.TestCase):
    def test_one(self):
        ev("test_one")
