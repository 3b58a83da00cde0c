# rule: enterModuleContext, enterClassContext and enterContext refuse what is no context manager
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        for enter in (unittest.enterModuleContext, self.enterClassContext, self.enterContext):
            with self.assertRaisesRegex(TypeError, "context manager"):
                enter(object())
            ev("refused")
