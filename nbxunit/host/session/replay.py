"""A notebook's records as pytest's hooks: what the kernel reports happens again on the host.

May import pytest. One `Replay` is one notebook; what it cannot know, such as how a kernel died, it
makes error reports of, so that no test is lost.
Over 300 lines: a case for each kind of record, which share what is known of the test that runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest

from nbxunit import protocol
from nbxunit.host import compat
from nbxunit.host.records import (
    Broken,
    CellCompared,
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
from nbxunit.limits import Room

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


class Replay:
    """Replays the records of one notebook for its item.

    Its reports share `room` with those of the other notebooks of the session.
    `not_found` collects what pytest calls a usage error; `empty` tells why there were no tests;
    `skips` that a cell has skipped the notebook; `updated` counts cells whose outputs were written.
    """

    def __init__(self, item: NotebookItem, room: Room) -> None:
        self._item = item
        self._room = room
        self._config = item.config
        self._session = item.session
        self._hook = item.ihook
        self._unfinished: dict[str, None] = {}
        self._running: protocol.Started | None = None
        self._check = bool(self._config.getoption("nbxunit_check_execution"))
        self._reports = 0
        self._has_verdict = False
        self._is_collected = self._is_uncollectable = False
        self.not_found = ""
        self.empty: tuple[str, ...] | None = None
        self.interrupted = False
        self.skips = False
        self.updated = 0
        self.exit: tuple[str, int] | None = None
        self.ended: protocol.Ended | None = None
        self.exit_status: int | None = None
        self._failures = 0
        self._silent: protocol.Finished | None = None
        self._more = 0
        self._grow(-1)  # the item itself is no test

    @property
    def is_in_test(self) -> bool:
        """Whether a test has started and not finished."""
        return self._running is not None

    def take(self, record: Record) -> None:
        """Replay one record."""
        if self._silent is not None and isinstance(record, _ENDING):
            self._settle(self._silent, record)
        match record:
            case Executed():
                self._executed(record.seconds)
            case CellCompared():
                self._compared(record)
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
            case protocol.Finished():
                self._finished(event.nodeid, event.location)
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
        if not (self._reports or self._is_collected or is_over or is_ending):
            self._error(self._item.notebook_id, "its run ended, and never said how")

    # --- events of the run ---

    def _collected(self, event: protocol.Collected) -> None:
        self._unfinished = dict.fromkeys(event.nodeids)
        self._is_collected = True
        compat.forget_failure(self._config, self._item.notebook_id)
        self._grow(len(event.nodeids))
        compat.remember_nodeids(self._config, [*event.nodeids, *event.deselected])
        if event.deselected:
            parent: Any = self._item.parent
            gone = [
                items.Function.from_parent(parent, name=nodeid.rpartition("::")[2], nodeid=nodeid)
                for nodeid in event.deselected
            ]
            self._hook.pytest_deselected(items=gone)
        if not event.nodeids and not self._reports:
            self.empty = event.reasons

    def _started(self, event: protocol.Started) -> None:
        is_again = self._running is not None and self._running.nodeid == event.nodeid
        self._running = event
        self._has_verdict = False
        self._item.speaks_for = event.nodeid
        if not is_again:
            self._hook.pytest_runtest_logstart(nodeid=event.nodeid, location=event.location)

    def _finished(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        # With --setup-only and --setup-plan there is none. Else it may run again before it is judged,
        # as with flaky, or code has changed how pytest runs tests.
        if not self._has_verdict and not self._config.getoption("setuponly"):
            self._silent = protocol.Finished(nodeid, location)
            return
        self._finish(nodeid, location)

    def _settle(self, silent: protocol.Finished, record: Record) -> None:
        """A test has ended without a verdict; that is an error, if `record` does not start it again."""
        self._silent = None
        if isinstance(record, protocol.Started) and record.nodeid == silent.nodeid:
            return
        text = "pytest says that the test ended, and never said how; something has changed pytest"
        self._log(pytest.TestReport(silent.nodeid, silent.location, {}, "failed", text, "call"))
        self._finish(silent.nodeid, silent.location)

    def _finish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
        self._unfinished.pop(nodeid, None)
        self._running = None
        self._item.speaks_for = None

    def _reported(self, data: dict[str, Any]) -> None:
        try:
            data = self._room.report(data)
            report = self._hook.pytest_report_from_serializable(
                config=self._config, data=dict(data)
            )
            if report is None:  # a kind of report that only the kernel's pytest knows
                plain = {**data, "$report_type": "TestReport"}
                report = self._hook.pytest_report_from_serializable(config=self._config, data=plain)
            report_check.check(report)
        except Exception as exc:  # noqa: BLE001 - whatever the data did, it is an error report
            self._error(self._item.notebook_id, f"a damaged report came from the kernel: {exc!r}")
            return
        if isinstance(report, pytest.CollectReport):
            self._uncollectable(report)
            return
        self._log(report)

    def _uncollectable(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skip(report.nodeid, report.longrepr)
        else:
            self._is_uncollectable = True
            self._error(report.nodeid, report.longrepr or "", tuple(report.sections))

    def _warned(self, event: protocol.Warned) -> None:
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
        if event.status in _COMPLETE and not event.message:
            self._miss(event.status)
        if event.status == pytest.ExitCode.USAGE_ERROR and event.message.startswith("not found"):
            self.not_found = event.message
            self._error(self._item.notebook_id, event.message)
        elif event.message or event.status in _BROKEN:
            text = f"pytest ended in the kernel with status {event.status}, and did not say why"
            self._error(self._item.notebook_id, event.message or text)
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
        if is_failure and not self._failures:
            why = f": {event.stopped}" if event.stopped else ", and no test has failed"
            text = f"pytest ended in the kernel with status {event.status}{why}"
            self._error(self._item.notebook_id, text)

    def _miss(self, status: int) -> None:
        """Report what a complete run should have told and did not, as after `pytest.exit(..., 0)`."""
        if not self._is_collected and not self._reports:
            text = f"pytest ended in the kernel with status {status}, and never collected the tests"
            self._error(self._item.notebook_id, text)
        if self._session.shouldstop or self._session.shouldfail:
            return
        for nodeid in list(self._unfinished):
            self._error(
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
            self._error(self._item.notebook_id, text, record.sections)

    def _skipped(self, record: Skipped) -> None:
        nodeid = self._item.notebook_id
        nodeid += f"::{EXECUTION}" if self._check else ""
        self.skips = True
        self._skip(nodeid, (record.place, record.line, str(record)))

    def _compared(self, record: CellCompared) -> None:
        """A cell whose outputs were compared, as a test; images that differ go to HTML reports."""
        properties = [("notebook", self._item.notebook_id), ("cell", f"cell {record.number}")]
        text = "" if record.updated else record.text
        verdict = Verdict(record.outcome, text, (), record.seconds, properties, record.images)
        if record.updated:
            self.updated += 1
        self._made(record.name, verdict)

    def _made(self, name: str, verdict: Verdict) -> None:
        """Report a test that the host has made: the execution of a notebook, or the outputs of a cell."""
        text, sections = self._room.bounded((verdict.text, list(verdict.sections)))
        self._grow(1)
        nodeid = f"{self._item.notebook_id}::{name}"
        location = (self._item.notebook_id, None, name)
        self._started(protocol.Started(nodeid, location))
        for report in dataclasses.replace(verdict, text=text, sections=sections).reports(
            nodeid, location
        ):
            self._log(report)
        self._finished(nodeid, location)

    def _died(self, record: Died) -> None:
        """The kernel has ended: an error for what was running, and for all that had not run."""
        text, running = record.text, self._running
        if running is None and not record.stopped:
            self._error(self._item.notebook_id, text, record.sections)
        elif running is not None:
            self._fail_running(running, record)
        for nodeid in () if record.stopped else list(self._unfinished):
            self._error(nodeid, f"not run: {text.partition(chr(10))[0]}")
            self._unfinished.pop(nodeid, None)

    def _fail_running(self, running: protocol.Started, record: Died) -> None:
        message = f"{record.text}\nwhile it ran {running.nodeid}"
        message += "" if record.torn_down else "; its teardown could not run"
        message, sections = self._room.bounded((message, list(record.sections)))
        report = pytest.TestReport(
            running.nodeid, running.location, {}, "failed", message, "call", sections
        )
        report.nbxunit_died = True  # type: ignore[attr-defined] # an error, says `reporting`
        self._log(report)
        self._finished(running.nodeid, running.location)

    def _error(self, nodeid: str, longrepr: Any, sections: Iterable[tuple[str, str]] = ()) -> None:
        """Report an error outside a test's own phases; pytest words it `ERROR collecting`."""
        longrepr, sections = self._room.bounded((longrepr, list(sections)))
        location = (self._item.notebook_id, None, "")
        if nodeid == self._item.notebook_id:
            self._grow(1)
        self._item.speaks_for = nodeid
        self._hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        when: Any = "collect" if nodeid == self._item.notebook_id else "setup"
        self._log(
            compat.NotebookReport(nodeid, location, {}, "failed", longrepr, when, sections, 0.0)
        )
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
        self._item.speaks_for = None

    def _skip(self, nodeid: str, longrepr: Any) -> None:
        location = (self._item.notebook_id, None, "")
        self._grow(1)
        self._item.speaks_for = nodeid
        self._hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        self._log(pytest.TestReport(nodeid, location, {}, "skipped", longrepr, "setup"))
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
        self._item.speaks_for = None

    def skip_notebook(self, reason: str) -> None:
        """Report that the notebook is skipped."""
        self._skip(self._item.notebook_id, (str(self._item.path), 0, f"Skipped: {reason}"))

    def _grow(self, count: int) -> None:
        compat.grow(self._session, count)
        self._more += count

    def _log(self, report: pytest.TestReport) -> None:
        self._reports += 1
        self._failures += report.failed
        self._has_verdict |= report.when == "call" or not report.passed
        if self._more and hasattr(self._config, "workerinput"):
            # xdist's controller counts items; the number of tests rides on a report.
            report.nbxunit_more = self._more  # type: ignore[attr-defined]
            self._more = 0
        self._hook.pytest_runtest_logreport(report=report)
