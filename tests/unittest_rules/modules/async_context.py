# rule: setUp, asyncSetUp, the test, the teardowns and cleanups of one test share one context
import contextvars
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


variable = contextvars.ContextVar("variable", default="unset")


class TestA(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        ev(variable.get())
        variable.set("setUp")
        self.addCleanup(self.show, "cleanup")

    async def asyncSetUp(self):
        self.show("asyncSetUp")
        self.addAsyncCleanup(self.show_later)

    async def test_one(self):
        self.show("test_one")

    async def test_two(self):
        self.show("test_two")

    async def asyncTearDown(self):
        self.show("asyncTearDown")

    def tearDown(self):
        self.show("tearDown")

    async def show_later(self):
        self.show("async cleanup")

    def show(self, place):
        ev(f"{place} sees {variable.get()}")
        variable.set(place)
