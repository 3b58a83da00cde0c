"""Several things at once, of which none outlives the block that waits for them.

Imports the standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any


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
    """Wait until one of `tasks` is done, or for `timeout` seconds."""
    await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
