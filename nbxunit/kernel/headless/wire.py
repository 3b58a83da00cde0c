"""The kernel's end of the wire: pytest's hooks become events, sent over the stdin channel.

May import pytest. Events are buffered, and flushed in one input request that the host answers:
ordered, acknowledged, with back-pressure. What is not acknowledged yet stands in a journal file, so
that a host reads it there when the kernel has died.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit import frames, limits, originals, protocol
from nbxunit.kernel.compat import files, interrupts, ipython
from nbxunit.kernel.headless.repeating import Reports
from nbxunit.kernel.run import reasons
from nbxunit.kernel.run.reports import Serialiser

if TYPE_CHECKING:
    from nbxunit.kernel.run.engine import Prepared

INTERVAL = 0.1
"""Seconds after which buffered events are sent."""
MESSAGE_LIMIT = 100_000
"""Bytes of the reason for an end."""
SUMMARY_LIMIT = 1_000_000
"""Bytes of what plugins write at the end of a run."""
WARNING_LIMIT = 100_000
"""Bytes of the texts of a warning."""
WARNINGS_LIMIT = 3_000_000
"""Bytes of the texts of all warnings of a run."""
FLUSH_SIZE = 4_000_000
"""Characters of events that wait at the most."""


class Wire:
    """Sends events and takes answers. `answer` is the host's last one."""

    def __init__(self, channel: ipython.StdinChannel, nonce: str, journal: str | None) -> None:
        self._channel = channel
        self._nonce = nonce
        self._process = originals.getpid()
        self._lines: list[str] = []
        self._size, self._limit = 0, FLUSH_SIZE
        self._unwritten: list[str] = []
        self._kept_for = 0
        self._number = 0
        self._last = originals.monotonic()
        self._journal = files.appended(journal) if journal else None
        self.answer = protocol.Answer(0)

    def send(self, event: protocol.Event, *, at_once: bool = False) -> None:
        """Send `event` with the next flush; with `at_once`, a kernel that dies now has told it.

        A process that a test has forked, and that comes back from it, ends here.
        """
        if originals.getpid() != self._process:
            is_failure = (
                isinstance(event, protocol.Reported) and event.report["outcome"] == "failed"
            )
            originals.exit_now(int(is_failure))
        line = protocol.encode(event)
        self._lines.append(line)
        self._size += len(line)
        self._unwritten.append(line)
        if at_once:
            self.keep()

    def keep(self) -> None:
        """Write to the journal what is not there yet, below the number of the frame it will be in."""
        if self._journal is None:
            return
        frame = self._number + 1
        head = [] if self._kept_for == frame else [frames.journal_head(frame)]
        self._kept_for = frame
        data = "".join(f"{each}\n" for each in head + self._unwritten).encode()
        self._unwritten.clear()
        try:
            written = originals.write(self._journal, data)
        except OSError:
            written = 0
        if written < len(data):  # its disk is full: what no file keeps is sent at once
            self.close()
            self._limit = 0

    @property
    def is_due(self) -> bool:
        """Whether buffered events have waited long enough."""
        return bool(self._lines) and originals.monotonic() - self._last > INTERVAL

    @property
    def is_full(self) -> bool:
        """Whether so much is buffered that it is to be sent at once."""
        return self._size > self._limit

    def flush(self, *, marked: bool = False) -> None:
        """Send what is buffered and wait for the answer. With `marked`, output goes before it."""
        self.keep()
        if marked:
            sys.stdout.flush()
            sys.stderr.flush()
            self._channel.mark_output(f"{self._nonce} {self._number + 1}")
        with interrupts.held():  # half a frame, or one sent twice, would be lost on the host
            self._number += 1
            for prompt in frames.encode_frame(self._nonce, self._number, self._lines):
                self._channel.request(prompt)
            self._lines.clear()
            self._size = 0
        for text in self._channel.replies():
            answer = protocol.decode_answer(text)
            if answer.number == self._number:  # an older one answers a flush that was interrupted
                self.answer = answer
                break
        if self._journal is not None:
            originals.ftruncate(self._journal, 0)
        self._last = originals.monotonic()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            originals.close(self._journal)
            self._journal = None


class Reporting:
    """The plugin that turns a run into events.

    `reason` is what `pytest.exit` was called with, `internal_error` what pytest says of its own end,
    `stopped` why it is early, `summary` what plugins say of it.
    """

    def __init__(self, wire: Wire, prepared: Prepared) -> None:
        self._wire = wire
        self._prepared = prepared
        self._config = prepared.config
        self._serialiser = Serialiser(prepared.notebook, prepared.config)
        self._reports = Reports(self._serialiser, prepared.config)
        self._room_for_warnings = limits.Room(WARNINGS_LIMIT, late=limits.SHORT)
        self._deselected: list[str] = []
        self.reason: str | None = None
        self.internal_error = ""
        self.stopped = self.summary = ""
        self._shown = prepared.config.getoption("capture", "no") == "no"
        if prepared.live_log is not None:
            prepared.live_log.write_to(self._say)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Some tests will not run."""
        self._deselected += [item.nodeid for item in items]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The tests are known."""
        ids = tuple(item.nodeid for item in session.items)
        why = () if ids else tuple(reasons.reasons_for_none(self._prepared))
        places = tuple(self._serialiser.cell_place(item.location) for item in session.items)
        self._wire.send(protocol.Collected(ids, tuple(self._deselected), why, places))
        self.flush()
        self._obey(session)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Before a test: do what the host said last. After it: send what is due."""
        outcome = yield
        if self._shown or self._wire.is_due:
            self.flush()
        self._obey(item.session)
        return outcome

    def flush(self) -> None:
        """Send what is buffered; where output is shown, behind all output so far."""
        self._wire.flush(marked=self._shown)

    def _obey(self, session: pytest.Session) -> None:
        answer = self._wire.answer
        if not answer.go:
            session.shouldstop = "the host stopped the run"
        if answer.max_failures is not None:
            # Counted by pytest itself, so that the last failing test tears everything down.
            self._config.option.maxfail = max(answer.max_failures, 1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """No test runs any more, also if what follows takes its time, or ends the kernel."""
        why = session.shouldfail or session.shouldstop
        self.stopped = limits.shortened(str(why), MESSAGE_LIMIT) if why else ""
        self._wire.keep()

    def pytest_internalerror(self, excrepr: object) -> None:
        """Something has failed that is no test; pytest itself tells it to whatever reports then."""
        text = "\n".join(f"INTERNALERROR> {line}" for line in str(excrepr).splitlines())
        self.internal_error = text[-MESSAGE_LIMIT:]

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_terminal_summary(self) -> Any:
        """Keep what plugins write between pytest's own parts, which a host writes of all tests."""
        before = len(self._prepared.text.getvalue())
        outcome = yield
        text = self._serialiser.mapped(self._prepared.text.getvalue()[before:])
        self.summary = limits.shortened(text, SUMMARY_LIMIT)
        return outcome

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The run ends, by an interrupt or `pytest.exit`.

        The terminal reporter prints all frames to nobody, in half of the time that teardown has.
        """
        excinfo.traceback = excinfo.traceback.filter(excinfo)[-1:] or excinfo.traceback
        if isinstance(excinfo.value, pytest.exit.Exception):
            self.reason = limits.shortened(str(excinfo.value.msg), MESSAGE_LIMIT)

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        """A test begins."""
        self._reports.begin()
        event = protocol.Started(nodeid, self._serialiser.location(location))
        self._send(event, at_once=True)

    def _say(self, text: str) -> None:
        """Send a part of the live log."""
        self._send(protocol.Said(limits.shortened(text, MESSAGE_LIMIT)), at_once=False)

    def _send(self, event: protocol.Event, *, at_once: bool) -> None:
        self._wire.send(event, at_once=at_once)
        if self._wire.is_full:
            self.flush()

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        """A test has ended."""
        self._wire.send(protocol.Finished(nodeid, self._serialiser.location(location)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        # Before user code runs again, which may end the process: behind setup, and behind the call.
        event = self._reports.event(report)
        self._send(event, at_once=report.when != "teardown")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Something was collected; what could not be is an error."""
        if not report.passed:
            report.result = []  # nodes cannot travel
            self._wire.send(protocol.Reported(self._serialiser.report(report)))

    def pytest_warning_recorded(
        self, warning_message: Any, when: str, nodeid: str, location: Any
    ) -> None:
        """A warning was recorded."""
        place_of = self._serialiser.place
        bounded = self._room_for_warnings.bounded
        filename, number = place_of(warning_message.filename, warning_message.lineno)
        message, category, filename = bounded(
            (str(warning_message.message), warning_message.category.__name__, filename),
            WARNING_LIMIT,
        )
        place = None
        if location:
            place = (*place_of(location[0], int(location[1])), str(location[2]))
        event = protocol.Warned(message, category, filename, number, when, nodeid, bounded(place))
        self._send(event, at_once=False)
