# rule: timeouts, task groups and cancellation work in an async test
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def test_group(self):
        async def part(n):
            await asyncio.sleep((0, 0.01, 5)[n])
            ev(f"part {n}")
            if n == 1:
                raise ValueError(n)

        try:
            async with asyncio.TaskGroup() as group:
                for n in range(3):
                    group.create_task(part(n))
        except* ValueError as caught:
            ev(repr(caught.exceptions))

    async def test_timeout(self):
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.02):
                await asyncio.sleep(5)
        ev("timed out")

    async def test_cancelled(self):
        ev("raises CancelledError")
        raise asyncio.CancelledError

    async def test_wait_for(self):
        self.assertEqual(await asyncio.wait_for(asyncio.sleep(0, "value"), 1), "value")
        ev("waited")
