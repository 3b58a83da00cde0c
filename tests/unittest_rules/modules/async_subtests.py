# rule: subTest works in an async test, over its awaits
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def test_one(self):
        for i in range(3):
            with self.subTest(i=i):
                await asyncio.sleep(0)
                ev(f"sub {i}")
                self.assertNotEqual(i, 1)
        await asyncio.sleep(0)
        ev("behind")
