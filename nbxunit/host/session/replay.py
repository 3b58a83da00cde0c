"""A notebook's records as pytest's hooks: what the kernel reports happens again on the host.

May import pytest. One `Replay` is one notebook; what it cannot know, such as how a kernel died, it
makes error reports of, so that no test is lost.
Over 300 lines: a case for each kind of record, which share what is known of the run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Self

import pytest

from nbxunit import protocol
from nbxunit.host import compat
from nbxunit.host.records import (
    Broken,
    CellCompared,
    Deselected,
    Died,
    Executed,
    Logged,
    Output,
    Record,
    Skipped,
)
from nbxunit.host.session import items, report_check, terminal
from nbxunit.host.session.items import NotebookItem
from nbxunit.host.session.made_tests import Verdict
from nbxunit.host.session.state import NotebookSession
from nbxunit.host.session.telling import Telling

EXECUTION = "execution"
"""The name of the test that `--nbxunit-check-execution` reports."""
_COMPLETE = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)
"""The statuses of a run that went to its end."""
_BROKEN = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
"""The statuses of a run that could not go to its end."""

_ENDING = (protocol.Started, protocol.Ended, Broken, Died)
"""Records behind which a test that has ended does not report any more."""

_NONE: tuple[Any, dict[str, Any]] = (None, {})
"""A report that can be repeated, where it can without pytest, and its data: there is none."""


class Replay:
    """Replays the records of one notebook for its item.

    `not_found` collects what pytest calls a usage error; `empty` tells why there were no tests;
    `skips` that a cell has skipped the notebook; `updated` counts cells whose outputs were written;
    `ended` is how the run in the kernel has ended.
    """

    def __init__(self, item: NotebookItem, state: NotebookSession) -> None:
        self._item = item
        self._room = state.room
        self._has_told = state.warned.has_told
        self._watched = state.signals.watched
        self._config = item.config
        self._session = item.session
        self._hook = item.ihook
        self._telling = Telling(item, state.room)
        self._records = _Records(())
        self._unfinished: dict[str, None] = {}
        self._last = self._setup = _NONE
        self._check = bool(self._config.getoption("nbxunit_check_execution"))
        self._is_silent = self._is_collected = self._is_uncollectable = False
        self.not_found = ""
        self.empty: tuple[str, ...] | None = None
        self.interrupted = False
        self.skips = False
        self.updated = 0
        self.exit: tuple[str, int] | None = None
        self.ended: protocol.Ended | None = None
        self.exit_status: int | None = None

    @property
    def is_in_test(self) -> bool:
        """Whether a test has started and not finished."""
        return self._telling.running is not None

    def replay(self, records: Iterable[Record]) -> None:
        """Replay records to their end."""
        self._records = _Records(records)
        for record in self._records:
            self._take(record)

    def _take(self, record: Record) -> None:
        with self._watched():
            if self._is_silent and isinstance(record, _ENDING):
                self._settle(record)
            self._replay(record)

    def _replay(self, record: Record) -> None:
        match record:
            case Executed():
                self._executed(record.seconds)
            case CellCompared():
                self._compared(record)
            case Deselected(names):
                self._deselected([f"{self._item.notebook_id}::{name}" for name in names])
            case Skipped():
                self._skipped(record)
            case Broken():
                self._broken(record)
            case Died():
                self._died(record)
            case Output():
                terminal.show(record.text, record.stream)
            case Logged():
                compat.write_log(self._config, record.text)
            case _:
                self._take_event(record)

    def _take_event(self, event: Record) -> None:
        """Replay what the run in the kernel has told."""
        match event:
            case protocol.Collected():
                self._collected(event)
            case protocol.Started():
                self._started(event)
            case protocol.Reported():
                self._reported(event.report)
            case protocol.Repeated():
                for changes in event.changes:
                    self._repeated(changes)
            case protocol.Finished():
                self._finished(event.nodeid)
            case protocol.Warned():
                self._warned(event)
            case protocol.Said():
                compat.say(self._config, self._room.bounded(event.text))
            case protocol.Ended():
                self._ended(event)

    def end(self) -> None:
        """All records have come. That nothing was told is an error, if the session goes on."""
        is_over = self._session.shouldstop or self._session.shouldfail
        is_ending = self.interrupted or self.exit is not None
        if not (self._telling.reports or self._is_collected or is_over or is_ending):
            self._telling.not_collected("failed", "its run ended, and never said how")

    # --- events of the run ---

    def _collected(self, event: protocol.Collected) -> None:
        self._unfinished = dict.fromkeys(event.nodeids)
        self._is_collected = True
        compat.forget_failure(self._config, self._item.notebook_id)
        self._telling.places = dict(zip(event.nodeids, event.places, strict=False))
        self._telling.grow(len(event.nodeids))
        compat.remember_nodeids(self._config, [*event.nodeids, *event.deselected])
        self._deselected(event.deselected)
        if not event.nodeids and not self._telling.reports:
            self.empty = event.reasons

    def _deselected(self, nodeids: Iterable[str]) -> None:
        """Tell that tests were left out."""
        parent: Any = self._item.parent
        gone = [items.StandIn.of(parent, nodeid.rpartition("::")[2], nodeid) for nodeid in nodeids]
        if gone:
            self._hook.pytest_deselected(items=gone)

    def _started(self, event: protocol.Started) -> None:
        """Replay a test to its end, inside of its protocol."""
        self._setup = _NONE
        telling = self._telling
        if telling.running is not None and telling.running[0] == event.nodeid:
            telling.start_again()
            return

        def body() -> None:
            telling.start(event.nodeid, event.location)
            for record in self._records:
                if self._is_silent and isinstance(record, _ENDING):
                    self._settle(record)
                if self.is_in_test:
                    self._take(record)
                else:  # it has settled before this one
                    self._records.push(record)
                if not self.is_in_test:
                    return

        telling.test(event.nodeid, event.location, body)

    def _finished(self, nodeid: str) -> None:
        # With --setup-only and --setup-plan there is none. Else it may run again before it is judged,
        # as with flaky, or code has changed how pytest runs tests.
        if not self._telling.has_verdict and not self._config.getoption("setuponly"):
            self._is_silent = True
            return
        self._finish(nodeid)

    def _settle(self, record: Record) -> None:
        """A test has ended without a verdict; that is an error, if `record` does not start it again."""
        self._is_silent = False
        assert self._telling.running is not None
        nodeid = self._telling.running[0]
        if isinstance(record, protocol.Started) and record.nodeid == nodeid:
            return
        self._telling.fail(
            "pytest says that the test ended, and never said how; something has changed pytest"
        )
        self._finish(nodeid)

    def _finish(self, nodeid: str) -> None:
        self._telling.finish()
        self._unfinished.pop(nodeid, None)

    def _repeated(self, changes: dict[str, Any]) -> None:
        """Tell the last report once more, with these `changes`."""
        if self._last is _NONE and "when" in changes:  # what a test has made up is no phase
            self._last = self._setup
        last, data = self._last
        if last is None:
            self._reported({**data, **changes})
            return
        try:
            report = compat.repeated(last, self._room.mostly_short(changes))
            report_check.check_times(report)
        except Exception as exc:  # noqa: BLE001 - see `_reported`
            self._damaged(exc)
        else:
            self._telling.log(report)

    def _reported(self, data: dict[str, Any]) -> None:
        self._last = _NONE
        try:
            data = self._room.report(data)
            report = self._hook.pytest_report_from_serializable(
                config=self._config, data=dict(data)
            )
            if report is None:  # a kind of report that only the kernel's pytest knows
                plain = {**data, "$report_type": "TestReport"}
                report = self._hook.pytest_report_from_serializable(config=self._config, data=plain)
            report_check.check(report)
            if report.failed and isinstance(report.longrepr, str) and "\n" in report.longrepr:
                # In the kernel it was no text, and no exception, as of a fixture that does not exist.
                report.longrepr = compat.as_raised(report.longrepr, self._item.path.name)
        except Exception as exc:  # noqa: BLE001 - whatever the data did, it is an error report
            self._damaged(exc)
            return
        if isinstance(report, pytest.CollectReport):
            self._uncollectable(report)
            return
        # As it is before plugins mark it.
        is_plain = compat.can_repeat(self._config, report)
        self._last = compat.repeated(report, {}) if is_plain else None, data
        if report.when == "setup":
            self._setup = self._last
        self._telling.log(report)

    def _damaged(self, exc: Exception) -> None:
        text = f"a damaged report came from the kernel: {exc!r}"
        self._telling.not_collected("failed", text)

    def _uncollectable(self, report: pytest.CollectReport) -> None:
        self._is_uncollectable |= report.failed
        of_notebook = report.nodeid == self._item.notebook_id
        if of_notebook or report.skipped:
            self._telling.not_collected(
                report.outcome, report.longrepr or "", tuple(report.sections)
            )
        else:  # a class in it
            self._telling.not_run(report.nodeid, report.longrepr or "", tuple(report.sections))

    def _warned(self, event: protocol.Warned) -> None:
        if self._has_told(event):
            return
        self._hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": compat.warning_message(
                    self._room.bounded(event.message), event.category, event.filename, event.lineno
                ),
                "when": event.when if event.when in ("config", "collect", "runtest") else "runtest",
                "nodeid": event.nodeid,
                "location": event.location,
            }
        )

    def _ended(self, event: protocol.Ended) -> None:
        self.ended = event
        not_collected = self._telling.not_collected
        if event.status in _COMPLETE and not event.message:
            self._miss(event.status)
        if event.status == pytest.ExitCode.USAGE_ERROR and event.message.startswith("not found"):
            self.not_found = event.message
            not_collected("failed", event.message)
        elif event.message or event.status in _BROKEN:
            text = f"pytest ended in the kernel with status {event.status}, and did not say why"
            not_collected("failed", event.message or text)
        if event.reason is not None and event.status not in _COMPLETE:
            self.exit = protocol.clean(event.reason), event.status
            return
        # pytest also calls it an interrupt when something could not be collected, which was reported.
        if event.status == pytest.ExitCode.INTERRUPTED and not self._is_uncollectable:
            if not event.stopped:
                self.interrupted = True
            elif not self._session.shouldstop:
                self._session.shouldstop = f"{self._item.notebook_id}: {event.stopped}"
        if event.status not in set(pytest.ExitCode):
            self.exit_status = event.status
        is_failure = event.status == pytest.ExitCode.TESTS_FAILED or self.exit_status is not None
        if is_failure and not self._telling.failures:
            why = f": {event.stopped}" if event.stopped else ", and no test has failed"
            not_collected("failed", f"pytest ended in the kernel with status {event.status}{why}")

    def _miss(self, status: int) -> None:
        """Report what a complete run should have told and did not, as after `pytest.exit(..., 0)`."""
        if not self._is_collected and not self._telling.reports:
            text = f"pytest ended in the kernel with status {status}, and never collected the tests"
            self._telling.not_collected("failed", text)
        if self._session.shouldstop or self._session.shouldfail:
            return
        for nodeid in list(self._unfinished):
            self._telling.not_run(
                nodeid, f"not run: pytest ended in the kernel with status {status} before it"
            )
        self._unfinished.clear()

    # --- the execution, and what went wrong ---

    def _executed(self, seconds: float) -> None:
        if self._check:
            self._made(EXECUTION, Verdict(seconds=seconds))

    def _broken(self, record: Broken) -> None:
        text = protocol.clean(str(record))
        if self._check:
            self._made(EXECUTION, Verdict("failed", text, record.sections))
        else:
            self._telling.not_collected("failed", text, record.sections)

    def _skipped(self, record: Skipped) -> None:
        self.skips = True
        if self._check:
            self._made(EXECUTION, Verdict("skipped", str(record)), (record.place, record.line))
        else:
            self._telling.not_collected("skipped", (record.place, record.line, str(record)))

    def _compared(self, record: CellCompared) -> None:
        """A cell whose outputs were compared, as a test; images that differ go to HTML reports."""
        properties = [("notebook", self._item.notebook_id), ("cell", f"cell {record.number}")]
        text = "" if record.updated else record.text
        verdict = Verdict(record.outcome, text, (), record.seconds, properties, record.images)
        if record.updated:
            self.updated += 1
        self._made(record.name, verdict)

    def _made(self, name: str, verdict: Verdict, place: tuple[str, int] | None = None) -> None:
        """Report a test that the host has made: the execution of a notebook, or the outputs of a cell."""
        text, sections = self._room.bounded((verdict.text, list(verdict.sections)))
        nodeid, location = (
            f"{self._item.notebook_id}::{name}",
            (self._item.notebook_id, None, name),
        )
        self._telling.grow(1)
        verdict = dataclasses.replace(verdict, text=text, sections=sections)
        self._telling.made(
            nodeid, location, verdict.reports(nodeid, location, self._item.path.name, place)
        )

    def _died(self, record: Died) -> None:
        """The kernel has ended: an error for what was running, and for all that had not run."""
        text, running = record.text, self._telling.running
        if running is None and not record.stopped:
            self._telling.not_collected("failed", text, record.sections)
        elif running is not None:
            message = f"{record.text}\nwhile it ran {running[0]}"
            message += "" if record.torn_down else "; its teardown could not run"
            self._telling.fail(
                message, record.sections, nbxunit_died=True
            )  # an error, says `reporting`
            self._finish(running[0])
        for nodeid in () if record.stopped else list(self._unfinished):
            self._telling.not_run(nodeid, f"not run: {text.partition(chr(10))[0]}")
            self._unfinished.pop(nodeid, None)

    def skip_notebook(self, reason: str) -> None:
        """Report that the notebook is skipped."""
        self._telling.not_collected("skipped", (str(self._item.path), 0, f"Skipped: {reason}"))


class _Records:
    """Records, of which the last one can be put back."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = iter(records)
        self._pushed: list[Record] = []

    def push(self, record: Record) -> None:
        """Let `record` come again."""
        self._pushed.append(record)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        return self._pushed.pop() if self._pushed else next(self._records)
