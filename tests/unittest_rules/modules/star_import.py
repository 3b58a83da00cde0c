# rule: the classes that unittest itself offers are no tests
import os
import unittest
from unittest import *
from unittest import FunctionTestCase, TestCase


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(TestCase):
    def test_one(self):
        ev("test_one")
