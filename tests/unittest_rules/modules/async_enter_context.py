# rule: enterAsyncContext enters at once and leaves as a cleanup; one that fails to enter is not left
import asyncio
import contextlib
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


@contextlib.asynccontextmanager
async def context(name, fails=False):
    ev(f"enter {name}")
    await asyncio.sleep(0)
    if fails:
        raise OSError(name)
    yield name.upper()
    await asyncio.sleep(0)
    ev(f"leave {name}")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.value = await self.enterAsyncContext(context("a"))

    async def asyncTearDown(self):
        ev("asyncTearDown")

    async def test_one(self):
        ev(f"{self.value} {await self.enterAsyncContext(context('b'))}")

    async def test_two(self):
        await self.enterAsyncContext(context("c", fails=True))

    async def test_wrong_type(self):
        with self.assertRaises(TypeError):
            await self.enterAsyncContext(contextlib.nullcontext)
        ev("refused")
