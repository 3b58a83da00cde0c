# rule: async hooks are inherited and reach the base by super
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Base(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        ev(f"Base.asyncSetUp {type(self).__name__}")

    async def asyncTearDown(self):
        ev("Base.asyncTearDown")


class TestA(Base):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        ev("A.asyncSetUp")

    async def asyncTearDown(self):
        ev("A.asyncTearDown")
        await super().asyncTearDown()

    async def test_one(self):
        ev("A.test_one")


class TestB(Base):
    async def test_two(self):
        ev("B.test_two")
