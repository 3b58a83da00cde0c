# rule: patches of unittest.mock work as decorators, contexts and by start with addCleanup
import os
import unittest
from unittest import mock


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class Thing:
    value = "real"

    async def load(self):
        return "loaded"


class TestA(unittest.TestCase):
    def setUp(self):
        patcher = mock.patch.object(Thing, "value", "patched")
        patcher.start()
        self.addCleanup(ev, "cleanup behind the patch")
        self.addCleanup(patcher.stop)

    @mock.patch(f"{__name__}.Thing.value", "by decorator")
    def test_decorator(self):
        ev(Thing.value)

    @mock.patch.dict("os.environ", {"SOME_VARIABLE": "1"})
    def test_dict(self):
        ev(os.environ["SOME_VARIABLE"])

    def test_started(self):
        ev(Thing.value)

    @mock.patch.object(Thing, "value")
    def test_argument(self, value):
        ev(type(value).__name__)


class TestB(unittest.IsolatedAsyncioTestCase):
    @mock.patch.object(Thing, "load", new_callable=mock.AsyncMock, return_value="mocked")
    async def test_async(self, load):
        ev(await Thing().load())
        load.assert_awaited_once()

    async def test_real(self):
        ev(f"{await Thing().load()} {Thing.value}")
