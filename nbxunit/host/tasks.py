"""Several things at once, of which none outlives the block that waits for them.

Imports the standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

TURNS = 50
"""Turns of the event loop; from a message to the end of what waits for it there are some ten."""


@contextlib.asynccontextmanager
async def running(*awaitables: Awaitable[Any]) -> AsyncIterator[Sequence[asyncio.Future[Any]]]:
    """Tasks for `awaitables`. At the end of the block they are cancelled, and have ended."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first(*tasks: asyncio.Future[Any], timeout: float | None = None) -> None:
    """Wait until one of `tasks` is done, or for `timeout` seconds, and `turns`."""
    done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        await turns()


async def turns() -> None:
    """Let all else go on as far as it comes with what is there.

    When a time is over in a process that was busy, or stopped, what it waited for may be among that.
    """
    for _ in range(TURNS):
        await asyncio.sleep(0)
