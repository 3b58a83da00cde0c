# rule: a base class that is deleted from the module runs with its subclasses alone
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Base(unittest.TestCase):
    def test_one(self):
        ev(type(self).__name__)


class TestA(Base):
    pass


class TestB(Base):
    pass


del Base
