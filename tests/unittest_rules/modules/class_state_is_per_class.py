# rule: what setUpClass puts on cls belongs to that subclass alone
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = cls.__name__

    def test_value(self):
        ev(self.value)


class TestA(Base):
    pass


class TestB(Base):
    pass
