# rule: hooks and tests of mixins follow the order of bases, each class sorted by method name
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Logged:
    def setUp(self):
        ev("Logged.setUp")
        super().setUp()
        self.addCleanup(ev, "Logged cleanup")

    def tearDown(self):
        super().tearDown()
        ev("Logged.tearDown")

    def test_mixed_in(self):
        ev(f"{type(self).__name__}.test_mixed_in")


class Other:
    def setUp(self):
        ev("Other.setUp")
        super().setUp()

    def test_b(self):
        ev("Other.test_b")


class TestA(Logged, Other, unittest.TestCase):
    def setUp(self):
        super().setUp()
        ev("A.setUp")

    def test_z(self):
        ev("A.test_z")

    def test_a(self):
        ev("A.test_a")

    def test_b(self):
        ev("A.test_b")
        super().test_b()


class TestB(TestA):
    test_z = None
