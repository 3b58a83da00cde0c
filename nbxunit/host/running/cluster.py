"""A Dask cluster as a pool sees it: which workers there are and whether they can run notebooks; a word to one of them.

Its coroutines run on the loop of Dask's client. What a worker runs that may have no nbxunit is told by an
expression for the builtin `eval`: a function or class that it cannot import would disconnect the worker, and the
scheduler would try it on the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from nbxunit.host import tasks
from nbxunit.host.running import remote
from nbxunit.host.running.connecting import ANSWER, ClusterError

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
LOOK = 0.25
"""Seconds between two looks whether the scheduler is there."""
WORKERS = 2.0
"""Seconds between two looks at the workers."""
LISTEN = 4
"""Looks for heartbeats in the time after which workers are silent."""


def call(function: str, *arguments: str) -> str:
    """The expression that calls a function of `remote`."""
    module = "__import__('nbxunit.host.running.remote', fromlist=['run'])"
    return f"{module}.{function}({', '.join(arguments)})"


class Cluster:
    """The cluster of `client`, with its `workers` and all their `threads`; `is_gone` if its scheduler is.

    A scheduler that does not answer for `silence` seconds is gone, too; `loss` says what became of it. The cluster
    `is_silent` while there are workers and none of them has sent a heartbeat for as long.
    """

    def __init__(self, client: Client, silence: float) -> None:
        assert client.loop is not None
        self.client = client
        self.loss = "the scheduler of the cluster was lost"
        self._silence = silence
        self.workers: frozenset[str] = frozenset()
        self.threads = 0
        self.is_silent = False
        self._is_gone = False
        self._heartbeats: dict[str, float] = {}
        self._heard = self._listened = 0.0
        self._loop: asyncio.AbstractEventLoop = client.loop.asyncio_loop  # type: ignore[attr-defined]

    # --- for other threads ---

    def within(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the client's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function on the client's loop."""
        with contextlib.suppress(RuntimeError):  # the client was closed by others
            self._loop.call_soon_threadsafe(function)

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        with contextlib.suppress(Exception):
            self.client.close(timeout=LOOK if self.is_gone else ANSWER)

    @property
    def is_gone(self) -> bool:
        """Whether its scheduler was lost, once: one that comes back knows nothing of our tasks."""
        self._is_gone = self._is_gone or self.client.status != "running"
        return self._is_gone

    # --- on the loop ---

    async def evaluate(self, worker: str, expression: str, seconds: float = ANSWER) -> Any:
        """What an expression gives on a worker, in its own thread, or the exception that came of it."""
        return await self._run(worker, seconds, eval, expression)

    async def exchange(self, worker: str, message: str, seconds: float = ANSWER) -> Any:
        """What a worker answers to a message to one of its tasks, or the exception that came of it.

        It has claimed a run, so it can import `remote`; of `eval` Dask reads the signature each time, which costs
        more than all else here.
        """
        return await self._run(worker, seconds, remote.exchange, message)

    async def _run(
        self, worker: str, seconds: float, function: Callable[[str], Any], text: str
    ) -> Any:
        asking = self.client.run(function, text, workers=[worker], on_error="return")
        try:
            answers = await asyncio.wait_for(asking, seconds)
        except Exception as exc:  # noqa: BLE001 - whatever the end of a connection raises
            return exc
        return answers.get(worker, ConnectionError(f"{worker} gave no answer"))

    async def check(self) -> None:
        """ClusterError with a table of the workers that cannot run notebooks, if there are any."""
        try:
            await asyncio.wait_for(self._count(), ANSWER)
        except (OSError, TimeoutError) as exc:
            raise ClusterError(f"the scheduler of the cluster does not answer: {exc}") from exc
        addresses = sorted(self.workers)
        problems = await asyncio.gather(*map(self._problem, addresses))
        table = [f"{each}: {why}" for each, why in zip(addresses, problems, strict=True) if why]
        if table:
            count = f"{len(table)} of {len(addresses)} workers cannot run notebooks"
            raise ClusterError("\n  ".join([count, *table]))

    async def _problem(self, worker: str) -> str:
        """Why a worker cannot run notebooks; empty if it can."""
        installed = "__import__('importlib.metadata', fromlist=['version']).version('nbxunit')"
        found = await self.evaluate(worker, installed)
        if isinstance(found, TimeoutError):
            return f"it does not answer within {ANSWER:g} s"
        if isinstance(found, Exception):
            return f"nbxunit is not installed there ({found}); install it with: pip install 'nbxunit[dask]'"
        speaks = await self.evaluate(worker, call("version"))
        if isinstance(speaks, Exception):
            return f"nbxunit {found} there cannot be used by this one: {speaks}"
        if speaks != remote.VERSION:
            return f"nbxunit {found} there is of another version than this one"
        return ""

    async def check_resources(self, wanted: Mapping[str, float]) -> None:
        """ClusterError if there are workers, and none of them has all that is wanted."""
        if not wanted or self.client.scheduler is None:
            return
        try:
            identity = await asyncio.wait_for(self.client.scheduler.identity(), ANSWER)
        except (OSError, TimeoutError) as exc:
            raise ClusterError(f"the scheduler of the cluster does not answer: {exc}") from exc
        workers = identity["workers"]
        resources = {each: workers[each].get("resources") or {} for each in sorted(workers)}
        if workers and not any(
            all(had.get(name, 0) >= number for name, number in wanted.items())
            for had in resources.values()
        ):
            table = [f"{each}: {_listed(had) or 'none'}" for each, had in resources.items()]
            raise ClusterError(
                "\n  ".join([f"no worker has the resources {_listed(wanted)}", *table])
            )

    async def _count(self) -> None:
        threads = await self.client.nthreads()
        self.workers = frozenset(threads)
        self.threads = sum(threads.values())

    async def _look(self) -> None:
        """Count the workers, and take up their heartbeats, with which the scheduler tells all that it knows of them."""
        await self._count()
        if time.monotonic() - self._listened < self._silence / LISTEN:
            return
        assert self.client.scheduler is not None
        workers = (await self.client.scheduler.identity())["workers"]
        heartbeats = {each: worker["last_seen"] for each, worker in workers.items()}
        self._listened = time.monotonic()
        if heartbeats != self._heartbeats:
            self._heartbeats, self._heard = heartbeats, self._listened
        self.is_silent = bool(workers) and self._listened - self._heard > self._silence

    async def watch(self, changed: Callable[[], object]) -> None:
        """Call `changed` when workers may have come or gone, and when the scheduler is lost, at last."""

        def happened(event: tuple[float, Any]) -> None:
            message = event[1]
            if isinstance(message, Mapping) and message.get("action") == "remove-worker":
                self.workers -= {message.get("worker", "")}
                changed()

        self.client.subscribe_topic("all", happened)
        counted = time.monotonic()
        while not self.is_gone:
            await asyncio.sleep(LOOK)
            if time.monotonic() - counted > WORKERS:
                async with tasks.running(self._look()) as (look,):
                    await tasks.first(look, timeout=self._silence)
                    if not look.done():  # as where a network is cut, which ends no connection
                        self._is_gone = True
                        self.loss = f"the scheduler has not answered for {self._silence:g} s"
                counted = time.monotonic()
                changed()
        changed()


def _listed(resources: Mapping[str, float]) -> str:
    return " ".join(f"{name}={number:g}" for name, number in resources.items())
