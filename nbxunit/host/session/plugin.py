"""A pytest session with notebooks in it: collection, the run in order, selection, the exit status.

May import pytest; what is heavier comes with the first notebook. The plugin that `plugin` registers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.host import compat
from nbxunit.host.notebooks import files
from nbxunit.host.session import settings, terminal
from nbxunit.host.session.items import Function, Notebook, NotebookItem, tree
from nbxunit.host.session.selection import CacheSelection, give_back, split_arguments
from nbxunit.host.session.signals import Lasting, Signals
from nbxunit.host.session.waiting import Waiting
from nbxunit.limits import RUN_LIMIT, Room

if TYPE_CHECKING:
    from nbxunit.host.kernels.forking import Forking
    from nbxunit.host.records import Job
    from nbxunit.host.running.scheduling import Run, Runner

TEARDOWN = 1.0
"""Seconds that an interrupted run may take for its teardowns."""
REACTION = 5.0
"""Seconds more that the records of a kernel may take that was killed then; mostly it takes none."""


class NotebookSession:
    """The plugin of one pytest run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._selected: dict[Path, tuple[str, ...]] = {}
        self._cache = CacheSelection(config)
        self._stack = contextlib.ExitStack()
        workers = getattr(config, "workerinput", {}).get("workercount", 1)
        self._room = Room(RUN_LIMIT // workers)  # xdist's controller keeps the reports of all
        self._runner: Runner | None = None
        self._runs: dict[NotebookItem, Run] = {}
        self._deselected: set[str] = set()
        self._without_tests = 0
        self._forking: Forking | None = None
        self._not_found: list[str] = []
        self._empty: list[str] = []
        self._skips = 0
        self._signals = Signals(self._abort)
        if not hasattr(config, "workerinput"):  # xdist's controller ends its workers
            self._signals.install()
        settings.check(config)

    # --- collection ---

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Any:
        """Keep what stands behind `::` for the kernels: a notebook has no nodes on the host."""
        self._signals.begin()
        self._config.args, self._selected = split_arguments(self._config)
        with compat.literal_arguments():
            return (yield)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Do not follow a link into a folder that it lies in: there is no end of it."""
        return True if files.is_loop(collection_path) else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> Notebook | None:
        """A notebook, if it is one to run."""
        named = parent.session.isinitpath(file_path)
        in_folder = any(map(parent.session.isinitpath, file_path.parents))
        if not (named or in_folder) or not files.is_notebook(self._config, file_path, named=named):
            return None  # pytest also looks at what lies beside a file that was named
        check = self._config.getoption("nbxunit_check_execution")
        if not named and not check and not files.may_have_tests(self._config, file_path):
            self._without_tests += 1
            return None
        if self._forking is None and (forking := settings.forking(self._config)) is not None:
            self._forking = forking
            self._stack.callback(forking.server.drop)  # also where no notebook comes to run
        notebook: Notebook = Notebook.from_parent(parent, path=file_path)
        notebook.named = named
        if self._config.option.collectonly:
            self._collect_now(notebook)
        else:
            item = NotebookItem.of(notebook)
            item.selected = self._selected.get(file_path, ())
            notebook.children = [item]
        return notebook

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Any:
        """Give a notebook its item back: `--lf` looks for node ids that only a kernel knows."""
        report = yield
        if isinstance(collector, Notebook) and report.passed and collector.error is None:
            report.result = list(collector.children)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Any:
        """Keep notebooks out of the host's selection; it would drop tests that it does not see."""
        ours = [item for item in items if isinstance(item, NotebookItem | Function)]
        order = list(items)
        items[:] = [item for item in items if item not in ours]
        outcome = yield
        gone = [item for item in ours if item.nodeid in self._deselected]
        if gone:
            self._config.hook.pytest_deselected(items=gone)
        give_back(items, order, [item for item in ours if item not in gone])
        if not self._config.option.collectonly:
            self._cache.apply(items, order)
        return outcome

    def _collect_now(self, notebook: Notebook) -> None:
        """Execute a notebook to know its tests."""
        from nbxunit import protocol
        from nbxunit.host.records import Broken, Died, Skipped

        item = NotebookItem.of(notebook)
        item.selected = self._selected.get(notebook.path, ())
        notebook.children = []
        reason = self._why_skipped(notebook)
        if reason is not None:
            return
        run = self._submit(item)
        is_collected = False
        for record in self._records(run, item):
            if isinstance(record, protocol.Collected):
                is_collected = True
                notebook.children = tree(notebook, [*record.nodeids, *record.deselected])
                self._deselected.update(record.deselected)
            elif isinstance(record, protocol.Reported):
                notebook.error = str(record.report.get("longrepr"))
                longrepr = record.report.get("longrepr")
                if isinstance(longrepr, dict) and "longrepr" in longrepr:
                    notebook.error = str(longrepr["longrepr"])
            elif isinstance(record, Skipped):
                notebook.skipped, is_collected = record.reason, True
            elif isinstance(record, Broken):
                notebook.error = str(record)
            elif isinstance(record, Died):
                notebook.error = record.text
            elif isinstance(record, protocol.Ended) and record.message:
                notebook.error = record.message
                if record.message.startswith("not found"):
                    self._not_found.append(record.message)
        if not is_collected and notebook.error is None:
            notebook.error = "its run ended, and never said which tests it has"
        if notebook.error is not None:
            notebook.error = protocol.clean(notebook.error)

    # --- the run ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a notebook, or let pytest run what is none."""
        if not isinstance(item, NotebookItem):
            return None
        from nbxunit.host.session.replay import Replay

        if self._config.pluginmanager.hasplugin("faulthandler") and float(
            self._config.getini("faulthandler_timeout") or 0
        ):  # it times single tests in the kernel; here it would be the whole notebook
            faulthandler.cancel_dump_traceback_later()
        replay = Replay(item, self._room)
        reason = self._why_skipped(item.parent)
        if reason is not None:
            replay.skip_notebook(reason)
            return True
        run = self._run_of(item, nextitem)
        try:
            self._limit(run, item.session)
            for record in self._records(run, item):
                # A run that is over may still be in a test, with its teardown to report.
                if not self._is_over(item.session) or replay.is_in_test:
                    with self._signals.watched():
                        replay.take(record)
                if self._is_over(item.session):
                    run.control.go = False
        except KeyboardInterrupt:
            self._signals.is_ending = True
            doing = run.control.doing
            self._interrupted({item: replay})
            is_interrupt = self._signals.exit_status is None
            how = "interrupted" if is_interrupt else f"ended by {self._signals.name}"
            raise KeyboardInterrupt(f"{item.notebook_id}: {how} at {doing}") from None
        self._runs.pop(item).forget()
        replay.end()
        self._conclude(item, replay)
        return True

    def _why_skipped(self, notebook: Any) -> str | None:
        """Why a notebook that was found in a folder cannot be run, if it cannot."""
        if notebook.named or self._config.getoption("nbxunit_kernel"):
            return None
        try:
            origin = files.peek(notebook.path)
        except files.NotebookError:
            return None  # the run reports it
        if origin.is_python:
            return None
        return f"its language is {origin.language}; nbxunit runs Python notebooks"

    def _run_of(self, item: NotebookItem, nextitem: pytest.Item | None) -> Run:
        """The run of `item`; what follows is submitted too, so that its kernel is there in time."""
        waiting = [other for other in item.session.items if isinstance(other, NotebookItem)]
        is_worker = hasattr(self._config, "workerinput")
        jobs = 1 if is_worker else settings.jobs(self._config, len(waiting))
        following = [nextitem] if isinstance(nextitem, NotebookItem) else []
        if jobs > 1:
            following = waiting[waiting.index(item) + 1 :]
        for each in (item, *following):
            if each not in self._runs and self._why_skipped(each.parent) is None:
                self._runs[each] = self._submit(each, jobs, held=jobs == 1)
        self._runs[item].begin()
        return self._runs[item]

    def _submit(self, item: NotebookItem, jobs: int = 1, *, held: bool = False) -> Run:
        from nbxunit.host.running.scheduling import Runner

        if self._runner is None:
            many = sum(isinstance(each, NotebookItem) for each in item.session.items) > 1
            forking = self._forking and dataclasses.replace(self._forking, many=many)
            self._runner = self._stack.enter_context(Runner(jobs, forking))
        run = self._runner.submit(self._job(item), held=held)
        self._limit(run, item.session)
        return run

    def _job(self, item: NotebookItem) -> Job:
        from nbxunit.host.records import Job

        config = self._config
        return Job(
            item.path,
            config.getoption("nbxunit_kernel") or config.getini("nbxunit_kernel") or None,
            tuple(word for name in config.option.plugins or () for word in ("-p", name)),
            settings.options(config),
            {"ids": item.selected, **self._cache.of(item)},
            settings.seconds(config, "cell"),
            settings.seconds(config, "test"),
            settings.seconds(config, "notebook"),
            settings.saved(config, item.path),
            dict(os.environ),
            live_output=settings.shows_output(config) or config.getoption("usepdb", default=False),
        )

    def _records(self, run: Run, item: NotebookItem) -> Iterator[Any]:
        """The records of a run as they come, with signals held; meanwhile what it is doing."""
        from nbxunit.host.records import Output, Question

        waiting = Waiting(self._config, item.notebook_id)
        while True:
            try:
                run.spool.wait(waiting.timeout)
            except TimeoutError:
                waiting.silent(run.control.doing)
                continue
            waiting.heard()
            with self._signals.held():
                record = run.spool.get(0)
                if record is None:
                    run.future.result()
                    return
                is_shown = isinstance(record, Output)
                with compat.uncaptured(self._config) if is_shown else contextlib.nullcontext():
                    yield record
            if isinstance(record, Question):
                with compat.uncaptured(self._config):
                    run.answer(terminal.ask(record.prompt))

    def _is_over(self, session: pytest.Session) -> bool:
        return bool(session.shouldstop or session.shouldfail)

    def _limit(self, run: Run, session: pytest.Session) -> None:
        """Tell a run how many failures it may have, if nothing else fails before it."""
        option = self._config.option
        maxfail = option.maxfail or (1 if getattr(option, "stepwise", False) else 0)
        if maxfail:
            run.control.max_failures = max(maxfail - session.testsfailed, 1)

    def _interrupted(self, replays: dict[NotebookItem, Any]) -> None:
        """Let all notebooks tear down, and report what they have said, for a bounded time."""
        import time

        from nbxunit.host.session.replay import Replay

        for run in self._runs.values():
            run.stop(TEARDOWN)
        deadline = time.monotonic() + TEARDOWN + REACTION
        for item, run in self._runs.items():
            with contextlib.suppress(TimeoutError):
                while (record := run.spool.get(max(0, deadline - time.monotonic()))) is not None:
                    if item not in replays:
                        replays[item] = Replay(item, self._room)
                    replays[item].take(record)

    def _conclude(self, item: NotebookItem, replay: Any) -> None:
        self._skips += replay.skips
        if replay.not_found:
            self._not_found.append(replay.not_found)
        if replay.empty is not None:
            self._empty.append("\n  ".join([f"{item.notebook_id}: no tests", *replay.empty]))
        if replay.exit is not None and not self._is_over(item.session):
            reason, status = replay.exit
            pytest.exit(f"{item.notebook_id}: {reason}", status)
        if replay.interrupted and not self._is_over(item.session):
            raise KeyboardInterrupt(f"a test of {item.notebook_id} was interrupted")

    # --- the end ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Spare reporters the frames that they do not show, which take longer than all else there."""
        if not self._config.getoption("fulltrace", default=False):
            excinfo.traceback = excinfo.traceback.filter(excinfo)[-1:] or excinfo.traceback

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """Stop what still runs; a test that was not found is a usage error, as for pytest."""
        self._signals.is_ending = True
        if self._runner is not None and self._signals.received is not None:
            self._runner.hurry(TEARDOWN)
        self._stack.close()
        if self._signals.exit_status is not None:
            session.exitstatus = self._signals.exit_status
        elif self._not_found and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
        ):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self._signals.is_full and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        elif session.exitstatus == pytest.ExitCode.OK and 0 < self._skips == session.testscollected:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED  # as for modules that skip
        if session.items and all(isinstance(item, NotebookItem) for item in session.items):
            compat.leave_garbage(self._config)
        return (yield)

    def pytest_unconfigure(self) -> None:
        """Put the handlers of signals back."""
        self._signals.restore()

    def _abort(self) -> None:
        if self._runner is not None:
            self._runner.abort()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why there were no tests, and which notebooks were not executed."""
        for text in self._empty:
            terminalreporter.write_line(text)
        if self._forking is not None and self._forking.server.refusal:
            terminalreporter.write_line(
                f"kernels were spawned, not forked: {self._forking.server.refusal}"
            )
        if self._without_tests:
            terminalreporter.write_line(
                f"{self._without_tests} notebook{'s' * (self._without_tests > 1)} without tests not "
                "executed (--check-execution executes them)"
            )

    # --- reports ---

    def pytest_report_header(self) -> str | None:
        """Say what `--cov` does not do."""
        if getattr(self._config.option, "cov_source", None):
            return "nbxunit: --cov does not measure the cells of notebooks"
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session, whose count of tests grows, and let it end in order if its output is lost."""
        self._session = session
        compat.wrap_output(self._config, lambda file: Lasting(file, self._signals.lost))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """On xdist's controller: a worker knows how many tests a notebook has."""
        if not hasattr(self._config, "workerinput"):
            compat.grow(self._session, getattr(report, "nbxunit_more", 0))

    # --- other plugins ---

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """pytest-timeout works in the kernel; here it would end the session."""
        return True if isinstance(item, NotebookItem) else None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """See `pytest_timeout_set_timer`."""
        return True if isinstance(item, NotebookItem) else None
