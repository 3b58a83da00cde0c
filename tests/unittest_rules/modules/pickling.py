# rule: what the module defines can be pickled and copied in its tests
import copy
import dataclasses
import os
import pickle
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class TestA(unittest.TestCase):
    def test_pickle(self):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with self.subTest(protocol=protocol):
                self.assertEqual(pickle.loads(pickle.dumps(Point(1), protocol)), Point(1))
        ev("pickled")

    def test_copy(self):
        ev(copy.deepcopy(Point(1, 2)))
