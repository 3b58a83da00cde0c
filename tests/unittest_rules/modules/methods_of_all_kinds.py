# rule: whatever is callable and begins with test is a test: static and class methods, partials, lambdas
import functools
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    test_data = [1, 2]

    def check(self, n):
        ev(f"check {n} {type(self).__name__}")

    test_b_partial = functools.partialmethod(check, 2)
    test_c_lambda = lambda self: ev("lambda")  # noqa: E731

    @staticmethod
    def test_d_static():
        ev("static")

    @classmethod
    def test_e_class(cls):
        ev(f"class {cls.__name__}")

    def testF(self):
        ev("testF")

    def helper_test(self):
        ev("helper_test")

    class test_g:
        def __init__(self):
            ev("class as a test")


def add(n):
    def test(self):
        ev(f"generated {n}")

    return test


for n in range(3):
    setattr(TestA, f"test_h_{n}", add(n))
