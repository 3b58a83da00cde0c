# rule: addTypeEqualityFunc, longMessage and maxDiff belong to the instance or class
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    longMessage = False

    def test_one(self):
        def compare(first, second, msg=None):
            ev(f"compare {first} {second} {msg}")

        self.addTypeEqualityFunc(complex, compare)
        self.assertEqual(1j, 2j, "message")

    def test_two(self):
        with self.assertRaises(AssertionError) as caught:
            self.assertEqual(1j, 2j, "message")
        ev(str(caught.exception))

    def test_three(self):
        with self.assertRaises(AssertionError) as caught:
            self.assertEqual([1, 2], [1, 3])
        ev(str(caught.exception).splitlines()[0])
