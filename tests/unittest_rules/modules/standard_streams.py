# rule: a test may replace sys.stdout and print
import contextlib
import io
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_one(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            print("text")
        ev(repr(out.getvalue()))
