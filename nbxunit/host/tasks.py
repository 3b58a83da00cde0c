"""Several things at once, of which none outlives the block that waits for them.

Imports the standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

PATIENCE = 1.0
"""Seconds that a wait lasts longer at the most where this process was busy, or stopped."""


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
    """Wait until one of `tasks` is done, or for `timeout` seconds.

    Where this process was too busy to notice their end, or stopped, it waits again for as long as it
    is late, since what it waited for may have come meanwhile, and not be read yet.
    """
    begin = time.monotonic()
    done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    if timeout is not None and not done:
        late = min(time.monotonic() - begin - timeout, PATIENCE)
        await asyncio.wait(tasks, timeout=late, return_when=asyncio.FIRST_COMPLETED)


async def sleep(seconds: float) -> None:
    """Wait for `seconds`, and likewise."""
    await first(asyncio.Future(), timeout=max(0, seconds))
