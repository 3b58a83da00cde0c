# rule: class and module hooks of an async class are synchronous and see no running loop
import asyncio
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


def setUpModule():
    ev(f"setUpModule {asyncio._get_running_loop()}")
    unittest.addModuleCleanup(lambda: ev(asyncio.run(asyncio.sleep(0, "module cleanup"))))


class TestA(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = asyncio.run(asyncio.sleep(0, "made in setUpClass"))
        cls.addClassCleanup(lambda: ev(asyncio.run(asyncio.sleep(0, "class cleanup"))))

    async def test_one(self):
        ev(self.value)
