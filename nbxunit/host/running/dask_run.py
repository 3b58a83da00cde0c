"""A run in a Dask pool, as both of the host's threads see it: what its worker is to be told, what came of it.

Imports the standard library.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from nbxunit.host.records import Job
from nbxunit.host.running.control import GRACE
from nbxunit.host.running.spooling import Spool, Store


class Owner(Protocol):
    """What a run wants of its pool."""

    store: Store

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function on the loop."""

    def fill(self) -> None:
        """Let runs begin for which there is room; for the loop."""

    def forget(self, run: DaskRun) -> None:
        """Wait for its end, and drop what it has left."""


class DaskRun:
    """A job that has been submitted: its records, and what the worker is to be told.

    A task with the one `claim`, a token and the address of its worker, runs it; `is_open` while a task may
    claim it. `lost` says how it was lost, `has_told` that the session may have seen some of it.
    """

    def __init__(self, job: Job, number: int, owner: Owner, *, held: bool) -> None:
        self.job = job
        self.number = number
        self.spool = Spool(owner.store)
        self.seconds = 0.0
        self.doing = "waiting for a worker"
        self.future: Future[None]
        self.is_held = held
        self.grace: float | None = None
        self.stopped_at = 0.0
        self.claim: tuple[str, str] | None = None
        self.is_open = self.has_told = False
        self.lost = ""
        self.changed = asyncio.Event()
        self._owner = owner
        self._orders: dict[str, Any] = {"go": True, "failures": None, "kill": False}

    # --- for the session's thread ---

    def begin(self) -> None:
        """Let it begin, if it was held."""
        if self.is_held:
            self.is_held = False
            self._owner.soon(self._owner.fill)

    def limit(self, failures: int) -> None:
        """So many failures it may have in all."""
        self._order(failures=failures)

    def begin_no_test(self) -> None:
        """Let the test that runs come to its end, and no other begin."""
        self._order(go=False)

    def stop(self, grace: float = GRACE) -> None:
        """Let it end: what runs is interrupted, and killed if it has not ended after `grace` s."""
        if self.grace is None:
            self.stopped_at = time.monotonic()
        self.grace = grace if self.grace is None else min(grace, self.grace)
        self._order(go=False)
        self._owner.soon(self.changed.set)
        self._owner.soon(self._owner.fill)

    def kill(self) -> None:
        """End it now."""
        self._order(kill=True)
        self.stop(0)

    def answer(self, text: str) -> None:
        """Nobody asks: `--pdb` is refused."""

    def forget(self) -> None:
        """Wait for its end, and drop what it has left."""
        self._owner.forget(self)

    def _order(self, **orders: object) -> None:
        if any(self._orders[name] != value for name, value in orders.items()):
            self._orders.update(orders)
            self._owner.soon(self.changed.set)

    # --- on the loop ---

    @property
    def is_ending(self) -> bool:
        """Whether it was lost, or is to stop."""
        return bool(self.lost) or self.grace is not None

    @property
    def is_unclaimed(self) -> bool:
        """Whether it waits for a task that claims it."""
        return self.claim is None and not self.is_ending

    def lose(self, why: str) -> None:
        """No more will come of it."""
        self.lost = self.lost or why
        self.changed.set()

    def message(self, token: str, has: int) -> str:
        """All that the worker is to know: how much the host has, and what it wants."""
        more = {"begin": True, "refused": False, "grace": self.grace}
        return json.dumps({"token": token, "has": has, **more, **self._orders})


def refusal(token: str) -> str:
    """What a task is told that must not begin."""
    orders = {"begin": False, "refused": True, "go": False, "grace": 0, "kill": False}
    return json.dumps({"token": token, "has": 0, "failures": None, **orders})
