"""Both threads' view of one run: what the main thread tells it, what it is doing.

Imports the standard library and the protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from nbxunit import protocol

if TYPE_CHECKING:
    from nbxunit.host.kernels.kernel import Kernel


GRACE = 2.0
"""Seconds that something has to react to an interrupt before its kernel is killed."""


class Stopped(Exception):
    """The main thread stopped the run."""


class Control:
    """What the main thread tells a running job: go on or stop, and answers to questions.

    `grace` is the seconds that teardown has when the run is to stop.
    """

    def __init__(self) -> None:
        self.go = True
        self.max_failures: int | None = None
        self._doing: Callable[[], str] = lambda: "waiting for a kernel"
        self.start = asyncio.Event()
        self.stop = asyncio.Event()
        self.grace = GRACE
        self.kernel: Kernel | None = None

    @property
    def doing(self) -> str:
        """What the job is at, for a person who waits."""
        return self._doing()

    @doing.setter
    def doing(self, what: str | Callable[[], str]) -> None:
        self._doing = what if callable(what) else lambda: what

    def kill(self) -> None:
        """Kill the kernel, if there is one. For the loop of the job."""
        if self.kernel is not None:
            self.kernel.process.kill()

    def answer(self, number: int) -> protocol.Answer:
        """The answer to the frame `number`."""
        return protocol.Answer(number, self.go, self.max_failures)
