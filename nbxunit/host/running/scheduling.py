"""Many notebooks, n kernels, one order: jobs run on a loop of their own, records wait their turn.

The thread of the loop answers kernels at once, so that no one waits for pytest's reporters; what is
not replayed yet is spooled to a temporary file.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import errno
import os
import pickle
import tempfile
import threading
from concurrent.futures import Future
from io import FileIO
from types import TracebackType
from typing import NamedTuple, Self

from nbxunit.host import tasks
from nbxunit.host.kernels.forking import Forking
from nbxunit.host.records import Job, Record
from nbxunit.host.running.control import GRACE, Control, Stopped
from nbxunit.host.running.execution import execute

IN_MEMORY = 2_000_000
"""Bytes of waiting records that a spool keeps in memory."""


class Spool:
    """Records from one thread to another, in order; what is more than a few waits in a file."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: collections.deque[bytes | _Place] = collections.deque()
        self._taken: collections.deque[Record] = collections.deque()
        self._in_memory = self._in_file = 0
        self._file: FileIO | None = None
        self._ended = False

    def put(self, *records: Record) -> None:
        """Add records, if there are any."""
        if not records:
            return
        data = pickle.dumps(records)
        with self._changed:
            self._waiting.append(self._kept(data))
            self._changed.notify()

    def _kept(self, data: bytes) -> bytes | _Place:
        """Where `data` waits: nothing is lost where the disk has no room, it is in memory then."""
        if self._in_memory + len(data) > IN_MEMORY:
            with contextlib.suppress(OSError):
                return self._written(data)
        self._in_memory += len(data)
        return data

    def _written(self, data: bytes) -> _Place:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in `close`
        self._file.seek(self._in_file)
        if self._file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        place = _Place(self._in_file, len(data))
        self._in_file += len(data)
        return place

    def end(self) -> None:
        """There will be no more records."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def wait(self, timeout: float) -> None:
        """Return when `get` need not wait; TimeoutError if it would after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._taken or self._ended or self._waiting, timeout
            ):
                raise TimeoutError

    def get(self, timeout: float) -> Record | None:
        """The next record; TimeoutError if none comes in `timeout` seconds, None after the last."""
        self.wait(timeout)
        if self._taken:
            return self._taken.popleft()
        with self._changed:
            if not self._waiting:
                return None
            data = self._read(self._waiting.popleft())
        self._taken.extend(pickle.loads(data))  # noqa: S301 - written by `put`
        return self._taken.popleft()

    def _read(self, waiting: bytes | _Place) -> bytes:
        if isinstance(waiting, bytes):
            self._in_memory -= len(waiting)
            return waiting
        assert self._file is not None
        self._file.seek(waiting.start)
        data = self._file.read(waiting.size)
        if not any(isinstance(each, _Place) for each in self._waiting):
            self._file.truncate(0)
            self._in_file = 0
        return data

    def close(self) -> None:
        """Drop what was not read."""
        if self._file is not None:
            self._file.close()


class _Place(NamedTuple):
    """A place in a spool's file."""

    start: int
    size: int


class Run:
    """A job that has been submitted: its records, and the control of it."""

    def __init__(self, job: Job, control: Control, runner: Runner) -> None:
        self.job = job
        self.control = control
        self.spool = Spool()
        self._runner = runner
        self.future: Future[None]

    def begin(self) -> None:
        """Let it begin, if it was held."""
        self._runner.call(self.control.start.set)

    def stop(self, grace: float = GRACE) -> None:
        """Let it end: what runs is interrupted, and killed if it has not ended after `grace` s."""
        self.control.go = False
        self.control.grace = min(grace, self.control.grace)
        self._runner.call(self.control.stop.set)

    def forget(self) -> None:
        """Wait for its end, and drop what it has left."""
        self._runner.forget(self)

    def answer(self, text: str) -> None:
        """Answer a question of the kernel."""
        kernel = self.control.kernel
        if kernel is not None:
            self._runner.call(lambda: kernel.client.input(text))


class Runner:
    """Runs at most `jobs` notebooks at once, in the order in which they are submitted.

    As many kernels again are started ahead, and wait for their turn. Kernels
    are forked as `forking` says, or spawned; its server is closed at the end.
    """

    def __init__(self, jobs: int, forking: Forking | None) -> None:
        self._forking = forking
        self._loop = asyncio.SelectorEventLoop()  # ZeroMQ needs it, also on Windows
        self._alive = asyncio.Semaphore(2 * jobs)
        self._slots = asyncio.Semaphore(jobs)
        self._thread = threading.Thread(target=self._loop.run_forever, name="nbxunit", daemon=True)
        self._runs: list[Run] = []

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
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        if self._forking is not None:
            self._forking.server.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def hurry(self, grace: float) -> None:
        """Let all that runs end, with `grace` seconds for teardowns."""
        for run in self._runs:
            run.stop(grace)

    def abort(self) -> None:
        """Kill what runs, now; its records say so."""
        for run in self._runs:
            run.stop(grace=0)
            self.call(run.control.kill)

    def call(self, function: object) -> None:
        """Call `function` on the loop."""
        self._loop.call_soon_threadsafe(function)  # type: ignore[arg-type]

    def submit(self, job: Job, *, held: bool = False) -> Run:
        """Run `job` when a slot is free; one that is `held` first waits for its `begin`."""
        run = Run(job, Control(), self)
        if not held:
            run.begin()
        run.future = asyncio.run_coroutine_threadsafe(self._execute(run), self._loop)
        self._runs.append(run)
        return run

    def forget(self, run: Run) -> None:
        """Wait for the end of `run`, and drop what it has left."""
        run.future.exception(timeout=None)
        run.spool.close()
        self._runs.remove(run)

    async def _execute(self, run: Run) -> None:
        taken = False

        async def turn() -> None:
            nonlocal taken
            async with tasks.running(run.control.start.wait(), run.control.stop.wait()) as events:
                await tasks.first(*events)
            if run.control.stop.is_set():
                raise Stopped
            taken = await self._slots.acquire()

        try:
            async with self._alive:
                if not run.control.stop.is_set():
                    await execute(run.job, run.control, run.spool.put, turn, self._forking)
        finally:
            if taken:  # not before the kernel has ended, whose port or file the next one may want
                self._slots.release()
            run.spool.end()
