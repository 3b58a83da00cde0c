"""A worker's side of a cluster: runs jobs in its pool, and hands their records to the host that asks for them.

Imports no library of the cluster: what it wants of a worker is handed in. A task first claims its run, and
begins when the host says so, which it says once: clusters run the tasks of lost workers again.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from nbxunit import protocol
from nbxunit.host.kernels import launching
from nbxunit.host.records import Broken, Job, Record
from nbxunit.host.running import plain
from nbxunit.host.running.control import GRACE
from nbxunit.host.running.local import LocalPool, LocalRun
from nbxunit.host.running.worker_pools import ABANDONED, IDLE, Pools

VERSION = 2
"""The version of what host and worker say to each other."""
TICK = 0.5
"""Seconds between two looks whether a task is still wanted."""
NEWS = 0.25
"""Seconds between two words that there are records: each makes the scheduler and the host work."""
CLAIM_AGAIN = 2.0
"""Seconds until a claim that nobody has answered is made again."""
WAITING = 4_000_000
"""Characters of encoded records that wait for the host; what is more waits in the pool's spool."""
ENDED = 8
"""Tasks that have ended and still answer, should their last answer not have come to the host."""
TOGETHER = 1_000_000
"""Characters of records in one answer, since answers hold the worker's loop."""
_RUNNING = ("running", "paused", "closing_gracefully")
_WANTED = ("executing", "long-running")


class Worker(Protocol):
    """What a task wants of the worker that runs it."""

    address: str
    status: Any
    state: Any

    def log_event(self, topic: str, message: object) -> None:
        """Tell those that have subscribed to the topic."""

    def get_current_task(self) -> str:
        """The key of the task in this thread."""


def version() -> int:
    """The version that this worker speaks."""
    return VERSION


def run(text: str, worker: Worker, secede: Callable[[], None]) -> None:
    """Run the job of an order, from its claim until all records are fetched.

    Its thread is left to the worker's next task by `secede` when its tests have ended, so that the next kernel
    starts while this one ends. The next task claims its run when this kernel has ended.
    """
    order = json.loads(text)
    if order["version"] != VERSION:
        raise RuntimeError(f"the host speaks version {order['version']}, and this worker {VERSION}")
    task = _Task(order, worker, secede)
    _tasks[task.token] = task
    try:
        with _pools.used(order["session"], order["forking"], lambda: task.idle) as pool:
            task.run(pool)
    finally:
        _ended.append(task.token)
        while len(_ended) > ENDED:
            del _tasks[_ended.popleft()]


def exchange(text: str) -> str:
    """Take what the host says to a task, and answer with records; both may come more than once."""
    message = json.loads(text)
    task = _tasks.get(message["token"])
    return json.dumps({"gone": True} if task is None else task.exchange(message))


def leave(session: str) -> None:
    """A host has ended: close its pool, but not in this thread, which has others to serve."""
    threading.Thread(target=_pools.close, args=(session,), daemon=True).start()


_pools = Pools()
_tasks: dict[str, _Task] = {}
_ended: collections.deque[str] = collections.deque()
_slots: collections.Counter[str] = collections.Counter()
"""By the addresses of this process's workers: how many kernels have begun and not ended."""
_slot_is_free = threading.Condition()


class _Task:
    """One task of the cluster: a job, and its records on their way to the host."""

    def __init__(
        self, order: Mapping[str, Any], worker: Worker, secede: Callable[[], None]
    ) -> None:
        self.token = secrets.token_hex(16)
        self._order = order
        self._worker = worker
        self._secede = secede
        self._key = worker.get_current_task()
        self._run: LocalRun | None = None
        self._changed = threading.Condition()
        self._records: collections.deque[str] = collections.deque()
        self._first = 0
        self._size = 0
        self._has_begun = self._is_refused = self._is_over = self._is_fetched = False
        self._has_news, self._told_at = False, 0.0

    @property
    def idle(self) -> float:
        """Seconds for which the pool may wait behind this task."""
        return IDLE if self._is_fetched or self._is_refused else ABANDONED

    def run(self, pool: LocalPool) -> None:
        """Claim the run, and run the job when it may begin; return when all of it is fetched."""
        job = plain.job(self._order["job"])
        variables = {**launching.environment(), **job.environment}
        self._run = run = pool.submit(dataclasses.replace(job, environment=variables), held=True)
        try:
            with self._slot():
                has_begun = self._may_begin()
                if has_begun:
                    wrong = _wrong_file(job, self._order["sha256"], self._worker.address)
                    if wrong is None:
                        run.begin()
                        self._pass_on(run)
                    else:
                        self._put(wrong)
            if has_begun:
                self._end()
        finally:
            run.stop()
            run.forget()

    @contextlib.contextmanager
    def _slot(self) -> Iterator[None]:
        """Wait until fewer kernels than the worker has threads have begun, and be one of them in a block."""
        address, threads = self._worker.address, self._worker.state.nthreads
        with _slot_is_free:
            while _slots[address] >= threads and self._is_wanted():
                _slot_is_free.wait(TICK)
            _slots[address] += 1
        try:
            yield
        finally:
            with _slot_is_free:
                _slots[address] -= 1
                _slot_is_free.notify_all()

    def _may_begin(self) -> bool:
        """Claim until the host answers; False where it refuses, or nobody wants the task any more."""
        claimed = 0.0
        while self._is_wanted() and not self._is_refused:
            if time.monotonic() - claimed > CLAIM_AGAIN:
                claimed = time.monotonic()
                self._tell(claimant=self._worker.address)
            with self._changed:
                if self._changed.wait_for(lambda: self._has_begun or self._is_refused, TICK):
                    return not self._is_refused
        return False

    def _pass_on(self, run: LocalRun) -> None:
        """Hand over the records of the run until its end, or until nobody wants them."""
        is_wanted = True
        self._told_at = time.monotonic()  # a small notebook has no news but its end
        while True:
            self._tell_news()
            try:
                record = run.spool.get(NEWS if self._has_news else TICK)
            except TimeoutError:
                record = None
                if is_wanted and not self._is_wanted():
                    is_wanted = False
                    run.stop(GRACE)
                continue
            if record is None:
                return
            if is_wanted:
                self._put(record)
            if isinstance(record, protocol.Ended):
                self._make_room(run)

    def _make_room(self, run: LocalRun) -> None:
        """Let the worker's next task start its kernel, which has its turn when that of this one has ended.

        Not under `-x`: what fails here may be the last, of which the host hears at the end.
        """
        if run.control.max_failures is not None:
            return
        with contextlib.suppress(Exception):  # a worker whose threads are not Dask's
            self._secede()
            self._tell(has_ended=True)

    def _put(self, record: Record) -> None:
        text = plain.encode(record)
        with self._changed:
            while self._size > WAITING and self._is_wanted():
                self._tell_news()
                self._changed.wait(TICK)
            self._records.append(text)
            self._size += len(text)
        self._has_news = True

    def _tell_news(self) -> None:
        """Let the host know that there are records, but not of each in a row."""
        now = time.monotonic()
        if self._has_news and now - self._told_at >= NEWS:
            self._has_news, self._told_at = False, now
            self._tell()

    def _end(self) -> None:
        """Wait until the host has fetched the end."""
        self._is_over = True
        self._tell()
        with self._changed:
            while not self._is_fetched and self._is_wanted():
                self._changed.wait(TICK)

    def _tell(self, claimant: str = "", *, has_ended: bool = False) -> None:
        """Let the host know that there is something to fetch, who claims the run, or that its tests are through."""
        own = {"run": self._order["run"], "token": self.token}
        message = {**own, "claimant": claimant, "has_ended": has_ended}
        self._worker.log_event(self._order["topic"], message)

    def _is_wanted(self) -> bool:
        """Whether the cluster still wants the task: the end of a host or a scheduler ends it."""
        task = self._worker.state.tasks.get(self._key)
        is_running = self._worker.status.name in _RUNNING
        return is_running and task is not None and task.state in _WANTED

    # --- in the worker's own thread ---

    def exchange(self, message: Mapping[str, Any]) -> dict[str, object]:
        """Take what the host says, and answer with what it has not acknowledged."""
        self._obey(message)
        with self._changed:
            while self._records and self._first < message["has"]:
                self._size -= len(self._records.popleft())
                self._first += 1
            sent: list[str] = []
            size = 0
            for text in self._records:
                size += len(text)
                if sent and size > TOGETHER:
                    break
                sent.append(text)
            is_last = self._is_over and len(sent) == len(self._records)
            self._is_fetched = self._is_fetched or is_last
            self._changed.notify_all()
        run = self._run
        return {
            "first": self._first,
            "records": sent,
            "ended": is_last,
            "seconds": run.seconds if run else 0.0,
            "doing": run.doing if run else "",
        }

    def _obey(self, message: Mapping[str, Any]) -> None:
        with self._changed:
            self._has_begun = self._has_begun or message["begin"]
            self._is_refused = self._is_refused or message["refused"]
            self._changed.notify_all()
        if self._run is None:
            return
        if message["failures"] is not None:
            self._run.limit(message["failures"])
        if not message["go"]:
            self._run.begin_no_test()
        if message["grace"] is not None:
            self._run.stop(message["grace"])
        if message["kill"]:
            self._run.kill()


def _wrong_file(job: Job, sha256: str, worker: str) -> Broken | None:
    """What is wrong with the file of a job on this machine, if anything is."""
    hint = "notebooks are at the same path on every worker, by a shared file system or an image"
    try:
        found = hashlib.sha256(job.path.read_bytes()).hexdigest()
    except OSError as exc:
        return Broken(f"the worker {worker} cannot read {job.path}: {exc.strerror}; {hint}")
    if found != sha256:
        return Broken(f"the worker {worker} has another file at {job.path} than this host; {hint}")
    return None
