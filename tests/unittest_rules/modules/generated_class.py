# rule: a class made by type() is a test class under the name it is bound to
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


TestMade = type("TestMade", (unittest.TestCase,), {"test_one": lambda self: ev(type(self).__name__)})
