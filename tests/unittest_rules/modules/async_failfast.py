# rule: -f ends the run at the first failure of an async test; all teardowns run
# run: failfast
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def asyncTearDown(self):
        ev("asyncTearDown")

    @classmethod
    def tearDownClass(cls):
        ev("tearDownClass")

    async def test_one(self):
        ev("test_one")
        self.fail("here")

    async def test_two(self):
        ev("test_two")
