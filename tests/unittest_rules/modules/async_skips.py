# rule: SkipTest in asyncSetUp, an async test or asyncTearDown is a skip; decorators skip as for others
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        ev(f"asyncSetUp {self._testMethodName}")
        if self._testMethodName == "test_1":
            self.skipTest("in asyncSetUp")

    async def asyncTearDown(self):
        ev("asyncTearDown")
        if self._testMethodName == "test_3":
            self.skipTest("in asyncTearDown")

    async def test_1(self):
        ev("test_1")

    async def test_2(self):
        self.skipTest("in the test")

    async def test_3(self):
        ev("test_3")

    @unittest.skip("always")
    async def test_4(self):
        ev("test_4")

    @unittest.expectedFailure
    async def test_5(self):
        self.fail("as expected")
