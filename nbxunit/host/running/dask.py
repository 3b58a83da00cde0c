"""Notebooks on the workers of a Dask cluster: a pool whose runs are tasks there.

Its coroutines run on the loop of Dask's client; the workers' side is `remote`.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import math
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nbxunit.host.records import Broken, Died, Job
from nbxunit.host.running.cluster import Cluster, call
from nbxunit.host.running.connecting import ANSWER, ClusterError
from nbxunit.host.running.control import GRACE
from nbxunit.host.running.dask_run import DaskRun, refusal
from nbxunit.host.running.dask_task import Task
from nbxunit.host.running.remote import VERSION
from nbxunit.host.running.spooling import Store

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 1.1
"""Tasks that are submitted for each thread, so that a worker has its next one when one ends."""


@dataclasses.dataclass(frozen=True)
class Rules:
    """How a cluster is used: at `most` so many notebooks at once, each started `again` so often if it is lost.

    A worker or scheduler that does not answer for `silence` seconds is lost. `forking` is what workers warm
    their fork servers with; None if they have none.
    """

    most: int | None = None
    again: int = 0
    silence: float = 60.0
    forking: Mapping[str, Any] | None = None


class DaskPool:
    """Runs notebooks on the workers of `client`'s cluster, which it leaves at its end.

    `remarks` is told what a person should know of a notebook.
    """

    def __init__(self, client: Client, rules: Rules, remarks: Callable[[Job, str], None]) -> None:
        self.store = Store()
        self._rules = rules
        self._remarks = remarks
        self._cluster = Cluster(client, rules.silence)
        self._session = secrets.token_hex(8)
        self._topic = f"nbxunit-{self._session}"
        self._runs: dict[int, DaskRun] = {}
        self._waiting: collections.deque[tuple[DaskRun, asyncio.Event]] = collections.deque()
        self._numbers = 0
        self._working: set[DaskRun] = set()
        self._refusals: set[asyncio.Future[Any]] = set()
        self._watching: Future[None]

    # --- for the session's thread ---

    @property
    def slots(self) -> int:
        """How many run at once; more workers may come."""
        return self._rules.most or max(2, self._cluster.threads)

    def check(self) -> None:
        """ClusterError if a worker cannot run notebooks; then the cluster is left."""
        try:
            self._cluster.within(self._cluster.check()).result()
        except ClusterError:
            self._cluster.close()
            raise

    def check_resources(self, wanted: Mapping[str, float]) -> None:
        """ClusterError if no worker has all that is wanted."""
        self._cluster.within(self._cluster.check_resources(wanted)).result()

    def __enter__(self) -> Self:
        self._cluster.within(self._listen()).result()
        self._watching = self._cluster.within(self._cluster.watch(self._look_at_workers))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Stop what still runs."""
        self.hurry(GRACE)
        for run in tuple(self._runs.values()):
            self.forget(run)
        self._watching.cancel()
        with contextlib.suppress(Exception):
            self._cluster.within(self._leave()).result(ANSWER)
        self._cluster.close()
        self.store.close()

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function on the loop."""
        self._cluster.soon(function)

    def submit(self, job: Job, *, held: bool = False) -> DaskRun:
        """Run `job` when there is a thread for it; one that is `held` first waits for its `begin`."""
        self._numbers += 1
        run = self._runs[self._numbers] = DaskRun(job, self._numbers, self, held=held)
        run.future = self._cluster.within(self._execute(run))
        return run

    def hurry(self, grace: float) -> None:
        """Let all that runs end, with `grace` seconds for teardowns."""
        for run in tuple(self._runs.values()):
            run.stop(grace)

    def abort(self) -> None:
        """Kill what runs, now."""
        for run in tuple(self._runs.values()):
            run.kill()

    def forget(self, run: DaskRun) -> None:
        """Wait for the end of `run`, and drop what it has left."""
        run.future.exception(timeout=None)
        run.spool.close()
        del self._runs[run.number]

    # --- on the loop ---

    async def _listen(self) -> None:
        self._cluster.client.subscribe_topic(self._topic, self._told)

    async def _leave(self) -> None:
        if not self._cluster.is_gone:
            farewell = call("leave", repr(self._session))
            await asyncio.gather(
                *(self._cluster.evaluate(each, farewell, 1) for each in self._cluster.workers)
            )

    def _told(self, event: tuple[float, Any]) -> None:
        """Take what a task tells: it claims its run, or there is news, or its tests have ended."""
        message = event[1]
        token, worker = message["token"], message["claimant"]
        run = self._runs.get(message["run"])
        if run is not None and run.is_open and worker:
            run.claim, run.is_open = (token, worker), False
            self._cluster.workers |= {worker}
        if run is not None and run.claim is not None and run.claim[0] == token:
            if not message["has_ended"]:
                run.changed.set()
            elif self._rules.most is None:  # else its kernel's end would be one notebook too many
                self._working.discard(run)
                self.fill()
        elif worker:
            refused = asyncio.ensure_future(self._cluster.exchange(worker, refusal(token)))
            self._refusals.add(refused)
            refused.add_done_callback(self._refusals.discard)

    def _look_at_workers(self) -> None:
        """Lose the runs whose worker is not there any more, and use new ones."""
        for run in tuple(self._runs.values()):
            if self._cluster.is_gone:
                run.lose(self._cluster.loss)
            elif run.claim is not None and run.claim[1] not in self._cluster.workers:
                run.lose(f"the worker {run.claim[1]} was lost")
            elif run.claim is None and self._cluster.is_silent:
                run.lose(f"no worker of the cluster has answered for {self._rules.silence:g} s")
        self.fill()

    def fill(self) -> None:
        """Let runs begin for which there is room; those that are to end need none."""
        room = self._rules.most or max(1, math.ceil(AHEAD * self._cluster.threads))
        for run, turn in tuple(self._waiting):
            if run.is_ending or (len(self._working) < room and not run.is_held):
                self._waiting.remove((run, turn))
                self._working.add(run)
                turn.set()

    async def _execute(self, run: DaskRun) -> None:
        turn = asyncio.Event()
        self._waiting.append((run, turn))
        if self._cluster.is_gone or self._cluster.is_silent:
            self._look_at_workers()
        self.fill()
        await turn.wait()
        try:
            await self._attempts(run)
        except ClusterError as exc:
            run.spool.put(Broken(str(exc)))
        except Exception as exc:  # noqa: BLE001 - one run must not end the session of all
            run.spool.put(Broken(f"the run failed: {type(exc).__name__}: {exc}"))
        finally:
            self._working.discard(run)
            run.spool.end()
            self.fill()

    async def _attempts(self, run: DaskRun) -> None:
        """Run it, and again if it is lost, as far as the rules let and while nobody has seen any of it."""
        rules = self._rules
        common = {
            "version": VERSION, "session": self._session, "topic": self._topic, "forking": rules.forking,
        }  # fmt: skip
        for left in reversed(range(rules.again + 1)):
            if not run.is_ending:
                await Task(run, self._cluster, common, rules.silence).complete(len(self._working))
            if not run.lost or run.has_told or run.grace is not None or self._cluster.is_gone:
                break
            if left:
                self._remarks(run.job, f"{run.lost}, so it was started again")
                run.lost, run.claim = "", None
        if run.lost:
            # What was set up may be torn down, which nobody here would know.
            run.spool.put(Died(run.lost, torn_down=True, stopped=run.grace is not None))
