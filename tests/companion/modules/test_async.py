"""Cells and tests await on the kernel's loop."""

import asyncio
import unittest

import pytest

pytestmark = pytest.mark.notebook("../notebooks/awaits.ipynb")


def test_cells_have_awaited(notebook):
    assert notebook.answer == 42


async def test_objects_of_the_kernels_loop(notebook):
    await notebook.queue.put(1)
    assert await notebook.queue.get() == 1
    assert notebook.loop is asyncio.get_running_loop()


async def test_cells_inside_a_test_that_awaits(notebook):
    await notebook.run_async("again")
    assert notebook.times == 2
    with pytest.raises(RuntimeError, match="await notebook.run_async"):
        notebook.run("again")


@pytest.mark.usefixtures("notebook")
class TestOwnLoop(unittest.IsolatedAsyncioTestCase):
    async def test_own_loop(self):
        self.assertIsNot(asyncio.get_running_loop(), self.notebook.loop)
        self.assertEqual(self.notebook.answer, 42)
