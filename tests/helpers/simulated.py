"""Whole sessions in simulated time: the real plan and order of work, on workers that only wait.

A run takes the seconds that its notebook's name is given, and tells that its cells have run. The clock goes
on where the session waits for records, as far as the next run that ends.
"""

from __future__ import annotations

import collections
import heapq
import itertools
import os
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from nbxunit.host.records import Executed, Job
from nbxunit.host.running.spooling import Spool, Store
from nbxunit.host.session import durations


class Pool:
    """So many `slots`, each of which runs one notebook after the other; `now` is the clock, in seconds."""

    def __init__(self, slots: int, seconds: Mapping[str, float]) -> None:
        self.slots = slots
        self.now = 0.0
        self.most = 0
        """Runs that were submitted at once, and had not ended."""
        self.store = Store()
        self._seconds = seconds
        self._waiting: collections.deque[Run] = collections.deque()
        self._running: list[tuple[float, int, Run]] = []
        self._numbers = itertools.count()

    def submit(self, job: Job, *, held: bool = False) -> Run:
        """Run `job` when a slot is free."""
        assert not held
        run = Run(job, self)
        run.seconds = self._seconds[job.path.stem]
        self._waiting.append(run)
        self._begin()
        self.most = max(self.most, len(self._waiting) + len(self._running))
        return run

    def _begin(self) -> None:
        while self._waiting and len(self._running) < self.slots:
            run = self._waiting.popleft()
            heapq.heappush(self._running, (self.now + run.seconds, next(self._numbers), run))

    def advance(self, until: float) -> None:
        """Let time pass up to the end of the next run, or `until` then."""
        if not self._running or self._running[0][0] > until:
            self.now = until
            return
        self.now, _, run = heapq.heappop(self._running)
        run.spool.put(Executed(run.seconds))
        run.spool.end()
        run.future.set_result(None)
        self._begin()


class Run:
    """A run in it; only what a session asks of one that nothing goes wrong with."""

    doing = "its cells"

    def __init__(self, job: Job, pool: Pool) -> None:
        self.job = job
        self.seconds = 0.0
        self.spool = _Spool(pool)
        self.future: Future[None] = Future()

    def begin(self) -> None:
        """It was not held."""

    def forget(self) -> None:
        """Drop what it has left."""
        self.spool.close()


class _Spool(Spool):
    """A spool for which one waits in simulated time."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.store)
        self._pool = pool

    def wait(self, timeout: float) -> None:
        until = self._pool.now + timeout
        while True:
            try:
                return super().wait(0)
            except TimeoutError:
                if self._pool.now >= until:
                    raise
            self._pool.advance(until)


class Session:
    """A plugin that gives a session a simulated pool, and notes when each result comes."""

    def __init__(self, pool: Pool, known: Mapping[str, float]) -> None:
        self.pool = pool
        self.results: list[tuple[float, str]] = []
        self._known = known

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All is there that a session has before its first notebook runs."""
        manager = session.config.pluginmanager
        learned = manager.get_plugin("nbxunit-durations")
        assert isinstance(learned, durations.Durations)
        learned.known = {f"{name}.ipynb": seconds for name, seconds in self._known.items()}
        running = manager.get_plugin("nbxunit-running")
        running._state.pool = self.pool

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A result is told."""
        if report.when == "call":
            self.results.append((self.pool.now, report.nodeid.partition(".ipynb")[0]))


def simulated(
    folder: Path, slots: int, seconds: Mapping[str, float], known: Mapping[str, float]
) -> Session:
    """Run notebooks of these names, of whose seconds so much is known, in an empty `folder`."""
    notebook = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    for name in seconds:
        (folder / f"{name}.ipynb").write_text(notebook)
    session = Session(Pool(slots, seconds), known)
    before = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        status = pytest.main(
            ["-p", "nbxunit", "--nbxunit", "--nbxunit-check-execution", "--nbxunit-no-fork",
             "--nbxunit-jobs", str(slots), "-p", "no:terminal", "-p", "no:cacheprovider",
             "--rootdir", str(folder), "-c", os.devnull, str(folder)],
            plugins=[session],
        )  # fmt: skip
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        if before is not None:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = before
    assert status == 0, status
    return session


def bound(slots: int, seconds: Mapping[str, float]) -> float:
    """No order of work can take less."""
    return max(sum(seconds.values()) / slots, *seconds.values())
