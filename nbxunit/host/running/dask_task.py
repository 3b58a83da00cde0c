"""One attempt at a run as a task of a Dask cluster: submitted, claimed by a worker, its records fetched.

Runs on the loop of Dask's client.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from nbxunit import protocol
from nbxunit.host import tasks
from nbxunit.host.running import plain
from nbxunit.host.running.cluster import LOOK, Cluster, call
from nbxunit.host.running.connecting import ANSWER, ClusterError
from nbxunit.host.running.dask_run import DaskRun

ASK = 1.0
"""Seconds until a run that tells of no news is asked, or more where there are many."""
MANY = 20
"""Runs that are asked in a second."""
ENDING = 8.0
"""Seconds until a run ends that was told to, besides what its teardowns may take."""


@dataclasses.dataclass(frozen=True)
class Task:
    """An attempt at `run`; without an answer of its worker for `silence` seconds it is lost.

    `order` is what all runs of a session have in common. The run is told to be lost where that comes first.
    """

    run: DaskRun
    cluster: Cluster
    order: Mapping[str, Any]
    silence: float

    async def complete(self, beside: int) -> None:
        """Run it, `beside` so many others, and return at its end. ClusterError if no worker can."""
        await self.cluster.check_resources(self.run.job.resources)
        order = json.dumps({**self.order, **self._own_order()})
        worker, secede = (
            f"__import__('distributed').{each}" for each in ("get_worker()", "secede")
        )
        self.run.is_open = True
        self.run.doing = "waiting for a worker"
        future = self.cluster.client.submit(
            eval,
            call("run", repr(order), worker, secede),
            key=f"nbxunit-{secrets.token_hex(8)}",
            pure=False,
            retries=0,
            priority=-self.run.number,  # those submitted in one moment would be in any order, else
            resources=dict(self.run.job.resources) or None,
        )
        try:
            async with tasks.running(_end_of(future)) as (end,):
                await self._claimed(end)
            if self.run.claim is not None:
                await self._fetch(*self.run.claim, max(ASK, beside / MANY))
        finally:
            self.run.is_open = False
            if not self.cluster.is_gone:
                with contextlib.suppress(Exception):  # kept, a dying worker lets it be run again
                    await asyncio.wait_for(future.cancel(), ANSWER)

    def _own_order(self) -> dict[str, Any]:
        job = self.run.job
        sha256 = hashlib.sha256(job.path.read_bytes()).hexdigest()
        return {"run": self.run.number, "job": plain.of_job(job), "sha256": sha256}

    async def _claimed(self, end: asyncio.Future[str]) -> None:
        """Wait until a task has claimed the run, or nobody needs one. ClusterError if none ever will."""
        run = self.run
        while run.is_unclaimed:
            run.changed.clear()
            async with tasks.running(run.changed.wait()) as (changed,):
                await tasks.first(changed, end)
            if end.done() and self.cluster.is_gone:
                run.lose(self.cluster.loss)
            elif end.done() and run.is_unclaimed:
                await self.cluster.check()
                raise ClusterError(end.result())

    async def _fetch(self, token: str, worker: str, pause: float) -> None:
        """Hand over the records of the run, until its end or its loss."""
        run, has, heard = self.run, 0, time.monotonic()
        while not run.lost:
            run.changed.clear()
            answer = await self._answer(worker, run.message(token, has), heard)
            if answer is None:
                await asyncio.sleep(LOOK)
                continue
            heard = time.monotonic()
            new = answer["records"][has - answer["first"] :]
            has += len(new)
            run.spool.put(*map(plain.decode, new))
            run.has_told = run.has_told or bool(new)
            run.doing = answer["doing"]
            if answer["ended"]:
                run.seconds = answer["seconds"]
                return
            if not new:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(run.changed.wait(), pause)

    async def _answer(self, worker: str, message: str, heard: float) -> Mapping[str, Any] | None:
        """What a worker answers that was `heard` last then; None where nothing comes, or the run is lost."""
        exchange = self.cluster.exchange(worker, message, self.silence)
        async with tasks.running(exchange) as (asking,):
            while not (asking.done() or self.run.lost):
                await asyncio.wait({asking}, timeout=LOOK)
                self._lose_silent(worker, heard)
            answer = asking.result() if asking.done() else None
        if not isinstance(answer, str):
            self._lose_silent(worker, heard)
            return None
        told = json.loads(answer)
        if "gone" in told:
            self.run.lose(f"the worker {worker} knows nothing of its task any more")
            return None
        if not isinstance(told.get("records"), list):
            raise protocol.ProtocolError(f"{answer[:200]!r} is no answer of a worker")
        return dict(told)

    def _lose_silent(self, worker: str, heard: float) -> None:
        """Do without a worker that does not answer any more."""
        now, run = time.monotonic(), self.run
        if now - heard > self.silence:
            run.lose(f"the worker {worker} has not answered for {self.silence:g} s")
        elif run.grace is not None and now - max(run.stopped_at, heard) > run.grace + ENDING:
            run.lose(f"the worker {worker} did not answer when the run was to end")


async def _end_of(future: Any) -> str:
    """Wait for the end of a task that nobody has claimed: what it came to."""
    try:
        error = await future.exception()
    except Exception as exc:  # noqa: BLE001 - cancelled, lost, or whatever else ends it
        error = exc
    return f"{type(error).__name__}: {error}" if error else "its task ended without a word"
