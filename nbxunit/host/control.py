"""Both threads' view of one run: what the main thread tells it, what it is doing.

Imports the standard library and the protocol.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nbxunit import protocol

if TYPE_CHECKING:
    from nbxunit.host.kernels import Kernel


class Stopped(Exception):
    """The main thread stopped the run."""


class Control:
    """What the main thread tells a running job: go on or stop, and answers to questions.

    `doing` is what the job is at, for a person who waits.
    """

    def __init__(self) -> None:
        self.go = True
        self.max_failures: int | None = None
        self.doing = "waiting for a kernel"
        self.start = asyncio.Event()
        self.stop = asyncio.Event()
        self.kernel: Kernel | None = None

    def answer(self, number: int) -> protocol.Answer:
        """The answer to the frame `number`."""
        return protocol.Answer(number, self.go, self.max_failures)
