"""Many notebooks, n kernels, one order: jobs run on a loop of their own, records wait their turn.

The thread of the loop answers kernels at once, so that no one waits for pytest's reporters; what is
not replayed yet is spooled to a temporary file.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from nbxunit.host import tasks
from nbxunit.host.kernels.forking import Forking
from nbxunit.host.records import Job
from nbxunit.host.running.control import GRACE, Control, Stopped
from nbxunit.host.running.execution import execute
from nbxunit.host.running.spooling import Spool, Store


class LocalRun:
    """A job that has been submitted: its records, and the control of it."""

    def __init__(self, job: Job, control: Control, pool: LocalPool) -> None:
        self.job = job
        self.control = control
        self.spool = Spool(pool.store)
        self.seconds = 0.0
        """How long it took from its turn to its end."""
        self._pool = pool
        self.future: Future[None]

    @property
    def doing(self) -> str:
        """What the job is at, for a person who waits."""
        return self.control.doing

    def begin(self) -> None:
        """Let it begin, if it was held."""
        if not self.control.start.is_set():
            self._pool.call(self.control.start.set)

    def limit(self, failures: int) -> None:
        """So many failures it may have in all."""
        self.control.max_failures = failures

    def begin_no_test(self) -> None:
        """Let the test that runs come to its end, and no other begin."""
        self.control.go = False

    def stop(self, grace: float = GRACE) -> None:
        """Let it end: what runs is interrupted, and killed if it has not ended after `grace` s."""
        self.control.go = False
        self.control.grace = min(grace, self.control.grace)
        self._pool.call(self.control.stop.set)

    def kill(self) -> None:
        """End it now; its records say so."""
        self.stop(grace=0)
        self._pool.call(self.control.kill)

    def forget(self) -> None:
        """Wait for its end, and drop what it has left."""
        self._pool.forget(self)

    def answer(self, text: str) -> None:
        """Answer a question of the kernel."""
        kernel = self.control.kernel
        if kernel is not None:
            self._pool.call(lambda: kernel.client.input(text))


class LocalPool:
    """Runs at most `jobs` notebooks at once, in the order in which they are submitted.

    As many kernels again are started ahead, and wait for their turn. Kernels
    are forked as `forking` says, or spawned; its server is closed at the end.
    """

    def __init__(self, jobs: int, forking: Forking | None) -> None:
        self.slots = jobs
        self._forking = forking
        self._workerless: set[Path] = set()
        self._loop = asyncio.SelectorEventLoop()  # ZeroMQ needs it, also on Windows
        self._alive = asyncio.Semaphore(2 * jobs)
        self._slots = asyncio.Semaphore(jobs)
        self._thread = threading.Thread(target=self._loop.run_forever, name="nbxunit", daemon=True)
        self._runs: list[LocalRun] = []
        self.store = Store()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Stop what still runs; no process is left."""
        for run in self._runs:
            run.stop()
        while self._runs:
            self.forget(self._runs[0])
        # In its own thread: in this one another loop may run, as where pytest is called in a notebook.
        generators = self._loop.shutdown_asyncgens()
        asyncio.run_coroutine_threadsafe(generators, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        if self._forking is not None:
            self._forking.server.close()
        self._loop.close()
        self.store.close()

    def hurry(self, grace: float) -> None:
        """Let all that runs end, with `grace` seconds for teardowns."""
        for run in self._runs:
            run.stop(grace)

    def abort(self) -> None:
        """Kill what runs, now; its records say so."""
        for run in self._runs:
            run.kill()

    def call(self, function: object) -> None:
        """Call `function` on the loop."""
        self._loop.call_soon_threadsafe(function)  # type: ignore[arg-type]

    def submit(self, job: Job, *, held: bool = False) -> LocalRun:
        """Run `job` when a slot is free; one that is `held` first waits for its `begin`."""
        run = LocalRun(job, Control(), self)
        if not held:
            run.control.start.set()
        run.future = asyncio.run_coroutine_threadsafe(self._execute(run), self._loop)
        self._runs.append(run)
        return run

    def forget(self, run: LocalRun) -> None:
        """Wait for the end of `run`, and drop what it has left."""
        run.future.exception(timeout=None)
        run.spool.close()
        self._runs.remove(run)

    async def _execute(self, run: LocalRun) -> None:
        taken, start = False, time.monotonic()

        async def turn() -> None:
            nonlocal taken
            async with tasks.running(run.control.start.wait(), run.control.stop.wait()) as events:
                await tasks.first(*events)
            if run.control.stop.is_set():
                raise Stopped
            taken = await self._slots.acquire()
            nonlocal start
            start = time.monotonic()

        try:
            async with self._alive:
                if not run.control.stop.is_set():
                    await execute(
                        run.job, run.control, run.spool.put, turn, self._forking, self._workerless
                    )
        finally:
            if taken:  # not before the kernel has ended, whose port or file the next one may want
                self._slots.release()
            run.seconds = time.monotonic() - start
            run.spool.end()
