"""Many notebooks, n kernels, one order: jobs run on a loop of their own, records wait their turn.

The thread of the loop answers kernels at once, so that no one waits for pytest's reporters; what is
not replayed yet is spooled to a temporary file.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import tempfile
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from nbxunit.host.control import Control
from nbxunit.host.execution import execute
from nbxunit.host.records import Job, Record

IN_MEMORY = 2_000_000
"""Bytes of waiting records that a spool keeps in memory."""


class Spool:
    """Records from one thread to another, in order; more than a few wait in a file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed in `close`
        self._changed = threading.Condition()
        self._read_at = self._write_at = 0
        self._ended = False

    def put(self, record: Record) -> None:
        """Add a record."""
        data = pickle.dumps(record)
        with self._changed:
            self._file.seek(self._write_at)
            self._file.write(len(data).to_bytes(8, "big") + data)
            self._write_at += 8 + len(data)
            self._changed.notify()

    def end(self) -> None:
        """There will be no more records."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def get(self, timeout: float) -> Record | None:
        """The next record; TimeoutError if none comes in `timeout` seconds, None after the last."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended or self._waits(), timeout):
                raise TimeoutError
            if not self._waits():
                return None
            self._file.seek(self._read_at)
            size = int.from_bytes(self._file.read(8), "big")
            record: Record = pickle.loads(self._file.read(size))  # noqa: S301 - written by `put`
            self._read_at += 8 + size
            if not self._waits():
                self._file.seek(0)
                self._file.truncate()
                self._read_at = self._write_at = 0
            return record

    def _waits(self) -> bool:
        return self._read_at < self._write_at

    def close(self) -> None:
        """Drop what was not read."""
        self._file.close()


class Run:
    """A job that has been submitted: its records, and the control of it."""

    def __init__(self, job: Job, control: Control, runner: Runner) -> None:
        self.job = job
        self.control = control
        self.spool = Spool()
        self._runner = runner
        self.future: Future[None]

    def stop(self) -> None:
        """Let it end: what runs is interrupted, and killed if it does not react."""
        self.control.go = False
        self._runner.call(self.control.stop.set)

    def answer(self, text: str) -> None:
        """Answer a question of the kernel."""
        kernel = self.control.kernel
        if kernel is not None:
            self._runner.call(lambda: kernel.client.input(text))


class Runner:
    """Runs at most `jobs` notebooks at once, in the order in which they are submitted."""

    def __init__(self, jobs: int) -> None:
        self._loop = asyncio.new_event_loop()
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
        for run in self._runs:
            run.future.exception(timeout=None)
            run.spool.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def call(self, function: object) -> None:
        """Call `function` on the loop."""
        self._loop.call_soon_threadsafe(function)  # type: ignore[arg-type]

    def submit(self, job: Job) -> Run:
        """Run `job` when a slot is free."""
        run = Run(job, Control(), self)
        run.future = asyncio.run_coroutine_threadsafe(self._execute(run), self._loop)
        self._runs.append(run)
        return run

    async def _execute(self, run: Run) -> None:
        try:
            async with self._slots:
                if not run.control.stop.is_set():
                    await execute(run.job, run.control, run.spool.put)
        finally:
            run.spool.end()


def job_count(option: str, notebooks: int) -> int:
    """How many kernels `-n OPTION` means: a number, or auto for one a core. ValueError otherwise."""
    if option in ("auto", "logical"):
        usable = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        )
        return max(1, min(usable or 1, notebooks))
    count = int(option)
    if count < 1:
        raise ValueError(option)
    return count
