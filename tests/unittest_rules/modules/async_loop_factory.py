# rule: loop_factory makes the loops of a class
# python: 3.13
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def factory():
    ev("factory")
    return asyncio.EventLoop()


class TestA(unittest.IsolatedAsyncioTestCase):
    loop_factory = factory

    async def test_one(self):
        ev("test_one")

    async def test_two(self):
        ev("test_two")
