"""The runs of a session's notebooks: submitted in time, their records as they come, all stopped together.

May import pytest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.host import compat
from nbxunit.host.kernels import launching
from nbxunit.host.running import open_files
from nbxunit.host.session import cluster, measuring, planning, settings, terminal
from nbxunit.host.session.items import CompanionFile, NotebookItem
from nbxunit.host.session.selection import divided
from nbxunit.host.session.waiting import Waiting

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nbxunit.host.records import Job, Record
    from nbxunit.host.running.dask import DaskPool
    from nbxunit.host.running.pools import Pool, Run
    from nbxunit.host.session.state import NotebookSession

TEARDOWN = 1.0
"""Seconds that an interrupted run may take for its teardowns."""
REACTION = 5.0
"""Seconds more that the records of a kernel may take that was killed then; mostly it takes none."""
AHEAD = 4
"""Runs that are submitted and have not ended, for each slot: two of them have a kernel."""


class Runs:
    """The runs that are under way, by their items."""

    def __init__(self, state: NotebookSession) -> None:
        self._state = state
        self._config = state.config
        self._runs: dict[NotebookItem, Run] = {}
        self._cluster: DaskPool | None = None
        self._planned: dict[NotebookItem, None] | None = None
        self._under_way: set[Future[None]] = set()

    def of(self, item: NotebookItem, nextitem: pytest.Item | None) -> Run:
        """The run of `item`; what follows is submitted too, so that its kernel is there in time."""
        slots = self._pool().slots
        if slots == 1:
            for each in (item, nextitem):
                if isinstance(each, NotebookItem):
                    self._submit(each, held=True)
        else:
            if self._planned is None:
                items = [each for each in item.session.items if isinstance(each, NotebookItem)]
                self._planned = self._in_order_of_work(items, slots)
            self._go_on()
            self._submit(item)
        self._runs[item].begin()
        return self._runs[item]

    def expect(self, item: NotebookItem) -> None:
        """The tests of `item` are to be listed: it may run ahead, in the order in which all are expected."""
        if self._planned is None:
            self._planned = {}
        self._planned[item] = None

    def listing(self, item: NotebookItem) -> Run:
        """The run of `item`, whose tests are listed now."""
        self._go_on()
        self._submit(item)
        return self._runs[item]

    def _go_on(self) -> None:
        """Submit what is planned next, if few enough runs are under way."""
        while self._planned and len(self._under_way) < AHEAD * self._pool().slots:
            self._submit(next(iter(self._planned)))

    def _submit(self, item: NotebookItem, *, held: bool = False) -> None:
        """Submit the run of an item that can be run, if it is not yet."""
        if self._planned is not None:
            self._planned.pop(item, None)
        if item not in self._runs and self._state.why_skipped(item.parent) is None:
            run = self._runs[item] = self._pool().submit(self._job(item), held=held)
            self.limit(run, item.session)
            self._under_way.add(run.future)
            run.future.add_done_callback(self._under_way.discard)

    def connect(self) -> None:
        """Have a pool on the cluster, if one is asked for. UsageError."""
        if cluster.asked_for(self._config):
            self._cluster = cluster.pool(self._config, self._remark)
            self._state.pool = self._state.stack.enter_context(self._cluster)

    def check_resources(self, session: pytest.Session) -> None:
        """UsageError if no worker of the cluster has what a notebook wants."""
        if self._cluster is not None and not self._config.option.collectonly:
            items = [each for each in session.items if isinstance(each, NotebookItem)]
            files = [(each.path, isinstance(each.parent, CompanionFile)) for each in items]
            cluster.check_resources(self._config, self._cluster, files)

    def _remark(self, job: Job, text: str) -> None:
        items = [item for item, run in self._runs.items() if run.job is job]
        for item in items:
            self._state.remark(item.notebook_id, text)

    def _pool(self) -> Pool:
        from nbxunit.host.running.local import LocalPool

        if self._state.pool is None:
            count = max(self._state.notebooks, len(self._planned or ()))
            jobs = 1 if self._state.is_worker else settings.jobs(self._config, count)
            if not self._config.option.collectonly:  # else there may be more than are known by now
                jobs = min(jobs, count)
            forking = self._state.forking and dataclasses.replace(
                self._state.forking, many=count > 1
            )
            pool = LocalPool(self._fitting(jobs), forking)
            self._state.pool = self._state.stack.enter_context(pool)
        return self._state.pool

    def _fitting(self, jobs: int) -> int:
        """As many of `jobs` as the limit of open files lets run at once; where that is fewer, it is said."""
        fitting, limit = open_files.fitting(jobs)
        if limit is not None:
            self._state.remark(
                f"-n {jobs}",
                f"only {fitting} at once, since the system lets a process have {limit} open files "
                "(ulimit -n)",
            )
        return fitting

    def _in_order_of_work(self, items: list[NotebookItem], jobs: int) -> dict[NotebookItem, None]:
        files = [item.notebook_id for item in items]
        order = planning.work_order(files, self._state.durations.known, jobs)
        return dict.fromkeys(items[index] for index in order)

    def _job(self, item: NotebookItem) -> Job:
        from nbxunit.host.records import Job

        config = self._config
        selection, checking = divided(
            {"ids": item.selected, **self._state.cache.of(item)}, self._state.checking
        )
        job = Job(
            item.path,
            config.getoption("nbxunit_kernel") or config.getini("nbxunit_kernel") or None,
            settings.plugins(config),
            settings.options(config, item.path),
            selection,
            settings.seconds(config, "cell"),
            settings.seconds(config, "test"),
            settings.seconds(config, "notebook"),
            settings.saved(config, item.path, item.variant.name),
            launching.environment(),
            strict_cells=config.getoption("nbxunit_strict_cells"),
            live_output=settings.shows_output(config) or config.getoption("usepdb", default=False),
            images=config.getoption("htmlpath", None) is not None,  # pytest-html's page shows them
            companion=isinstance(item.parent, CompanionFile),
            parameters=item.variant.values,
            secrets=tuple(config.getini("nbxunit_secret_params")),
            variant=item.variant.name,
            checking=None if isinstance(item.parent, CompanionFile) else checking,
            words=settings.words(config),
            made=settings.made(config),
            opened=settings.opened(config),
            python_path=settings.python_path(config),
            log_file=compat.has_log_file(config),
            worker=self._state.workers.input(item.notebook_id, self._state.notebooks),
            measured=measuring.told(config, item.path),
            cwd=os.getcwd(),  # noqa: PTH109 - as it stands
        )
        return cluster.adapted(config, job) if cluster.asked_for(config) else job

    def records(self, run: Run, item: NotebookItem) -> Iterator[Any]:
        """The records of a run as they come, with signals held; meanwhile what it is doing."""
        from nbxunit.host.records import Output, Question, Remark

        waiting = Waiting(self._config, item.notebook_id)
        while True:
            self._go_on()
            try:
                run.spool.wait(waiting.timeout)
            except TimeoutError:
                waiting.silent(run.doing)
                continue
            waiting.heard()
            with self._state.signals.held():
                record = run.spool.get(0)
                if record is None:
                    run.future.result()
                    return
                if isinstance(record, Remark):
                    self._state.remark(item.notebook_id, record.text)
                is_shown = isinstance(record, Output)
                with compat.uncaptured(self._config) if is_shown else contextlib.nullcontext():
                    yield record
            if isinstance(record, Question):
                with compat.uncaptured(self._config):
                    run.answer(terminal.ask(record.prompt))

    def limit(self, run: Run, session: pytest.Session) -> None:
        """Tell a run how many failures it may have, if nothing else fails before it."""
        option = self._config.option
        maxfail = option.maxfail or (1 if getattr(option, "stepwise", False) else 0)
        if maxfail:
            run.limit(max(maxfail - session.testsfailed, 1))

    def interrupt(self, replays: dict[NotebookItem, Any]) -> None:
        """Let all notebooks tear down, and report what they have said, for a bounded time."""
        from nbxunit.host.session.replay import Replay

        for run in self._runs.values():
            run.stop(TEARDOWN)
        deadline = time.monotonic() + TEARDOWN + REACTION
        for item, run in self._runs.items():
            replay = replays.get(item) or Replay(item, self._state)
            with contextlib.suppress(TimeoutError):
                replay.replay(_left(run, deadline))

    def forget(self, item: NotebookItem) -> float:
        """The records of a notebook have been read: wait for its end; the seconds that it took."""
        run = self._runs.pop(item)
        run.forget()
        return run.seconds


def _left(run: Run, deadline: float) -> Iterator[Record]:
    """The records that a run still has until the deadline. TimeoutError then."""
    while (record := run.spool.get(max(0, deadline - time.monotonic()))) is not None:
        yield record
