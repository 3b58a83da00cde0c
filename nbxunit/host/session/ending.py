"""The end of a session with notebooks: what still runs is stopped, the exit status, the summary.

May import pytest.
"""

from __future__ import annotations

from typing import Any

import pytest

from nbxunit.host import compat
from nbxunit.host.session.items import NotebookItem
from nbxunit.host.session.runs import TEARDOWN
from nbxunit.host.session.state import NotebookSession

REMARKS = "nbxunit_remarks"
"""The key of what xdist's workers tell the controller."""


class Ending:
    """The plugin that ends the session."""

    def __init__(self, state: NotebookSession) -> None:
        self._state = state
        self._config = state.config

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Spare reporters the frames that they do not show, which take longer than all else there."""
        if not self._config.getoption("fulltrace", default=False):
            excinfo.traceback = excinfo.traceback.filter(excinfo)[-1:] or excinfo.traceback

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """Stop what still runs; a test that was not found is a usage error, as for pytest."""
        self._state.signals.is_ending = True
        if self._state.pool is not None and self._state.signals.received is not None:
            self._state.pool.hurry(TEARDOWN)
        self._state.stack.close()
        if self._state.signals.exit_status is not None:
            session.exitstatus = self._state.signals.exit_status
        elif self._state.not_found and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
        ):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self._state.exit_status is not None and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
        ):
            session.exitstatus = self._state.exit_status
        elif self._state.signals.is_full and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        elif (
            session.exitstatus == pytest.ExitCode.OK
            and 0 < self._state.skips == session.testscollected
        ):
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED  # as for modules that skip
        if self._state.is_worker:
            self._config.workeroutput[REMARKS] = self._state.remarks  # type: ignore[attr-defined]
        if session.items and all(isinstance(item, NotebookItem) for item in session.items):
            compat.leave_garbage(self._config)
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended: what it has to say is in nobody's summary yet."""
        remarks = (getattr(node, "workeroutput", None) or {}).get(REMARKS, {})
        for text, names in remarks.items():
            for name in names:
                self._state.remark(name, text)
        self._state.workers.node_down(node)

    def pytest_unconfigure(self) -> None:
        """Put the handlers of signals back; nothing is left of folders that nobody used."""
        compat.drop_unused_folders(self._config)
        self._state.signals.restore()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why there were no tests, and which notebooks were not executed."""
        for text in self._state.empty:
            terminalreporter.write_line(text)
        for text, names in self._state.remarks.items():
            terminalreporter.write_line(f"{', '.join(names)}: {text}")
        if self._state.forking is not None and self._state.forking.server.refusal:
            terminalreporter.write_line(
                f"kernels were spawned, not forked: {self._state.forking.server.refusal}"
            )
        for text in (*self._state.updated, *dict.fromkeys(self._state.workers.failures)):
            terminalreporter.write_line(text)
        if self._state.without_tests:
            terminalreporter.write_line(
                f"{self._state.without_tests} notebook{'s' * (self._state.without_tests > 1)} without tests not "
                "executed (--check-execution executes them)"
            )
