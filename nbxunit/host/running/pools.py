"""What a session asks of those that run its notebooks, here or elsewhere: a pool, and the runs in it.

Imports the standard library. `local` runs them on this machine, `dask` on others.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from nbxunit.host.records import Job
from nbxunit.host.running.control import GRACE
from nbxunit.host.running.spooling import Spool


class Run(Protocol):
    """A job that has been submitted. `spool` has its records, in order; `future` ends behind the last.

    All methods are for the session's thread, and return at once but for `forget`.
    """

    job: Job
    spool: Spool
    future: Future[None]
    seconds: float

    @property
    def doing(self) -> str:
        """What the job is at, for a person who waits."""

    def begin(self) -> None:
        """Let it begin, if it was held."""

    def limit(self, failures: int) -> None:
        """So many failures it may have in all."""

    def begin_no_test(self) -> None:
        """Let the test that runs come to its end, and no other begin."""

    def stop(self, grace: float = GRACE) -> None:
        """Let it end: what runs is interrupted, and killed if it has not ended after `grace` s."""

    def answer(self, text: str) -> None:
        """Answer a question of the kernel."""

    def forget(self) -> None:
        """Wait for its end, and drop what it has left."""


class Pool(Protocol):
    """Runs notebooks, in the order in which they are submitted, so many at once as it has `slots`."""

    @property
    def slots(self) -> int:
        """How many run at once, as far as is known; with one, what comes next may be held."""

    def submit(self, job: Job, *, held: bool = False) -> Run:
        """Run `job` when there is room; one that is `held` first waits for its `begin`."""

    def hurry(self, grace: float) -> None:
        """Let all that runs end, with `grace` seconds for teardowns."""

    def abort(self) -> None:
        """Kill what runs, now; its records say so."""
