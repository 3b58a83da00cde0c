"""The results of an inline run, made of pytest's reports as they come.

May import pytest. What is shown of them, and when, is `results.output`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

from nbxunit import originals
from nbxunit.kernel.results import output
from nbxunit.kernel.results.displays import Displays
from nbxunit.kernel.results.model import Results
from nbxunit.kernel.run import engine
from nbxunit.kernel.run.reports import Serialiser

if TYPE_CHECKING:
    from nbxunit.kernel.inline.live import LiveNotebook

T = TypeVar("T")
Outcome: TypeAlias = tuple[Results, output.Live, str]
"""The results of a run, where they are shown, and what pytest was asked to list."""


class RecordedRun:
    """What is recorded of one run."""

    def __init__(self, live: LiveNotebook) -> None:
        self._live = live
        self._notebook = live.notebook
        self._start = originals.perf_counter()
        self.results = Results(cells=self._notebook.cells_by_label())
        self.plugins: list[object] = []
        self._shown = output.Live(self._notebook, self.results)

    def record(self, prepared: engine.Prepared, act: Callable[[list[object]], T]) -> T:
        """What `act` returns, which is given the plugins that record."""
        recording = Recording(self.results, prepared, self._shown)
        self._shown.begin()
        try:
            return act([recording, Displays(self._notebook.shell, self.results), *self.plugins])
        finally:
            self._shown.stop()

    def outcome(self, status: int, listing: str = "") -> Outcome:
        """The run has ended."""
        self.results.end(status, originals.perf_counter() - self._start)
        self.results.notes += self._live.take_notes()
        return self.results, self._shown, listing


class Recording:
    """The plugin that makes results of reports."""

    def __init__(self, results: Results, prepared: engine.Prepared, shown: output.Live) -> None:
        self._results = results
        self._shown = shown
        self._notebook, self._run = prepared.notebook, prepared.run
        self._config = prepared.config
        self._serialiser = Serialiser(prepared.notebook, prepared.config)
        self._nodeid = ""
        self._status: tuple[object, Any] = None, None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """It is known how many tests will run."""
        self._results.planned = len(session.items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._shown.running = nodeid.partition("::")[2]
        self._nodeid = nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Remember pytest's word for a report, which the terminal reporter asks for."""
        status = yield
        self._status = report, status
        return status

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        if self._status[0] is not report:
            self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        status = self._status[1]
        hooks, self._run.hook_runs = self._run.hook_runs, []
        # Most reports say nothing but that all is well, and making data of one takes its time.
        plain = report.passed and not report.sections and not report.longrepr
        data = _plain_data(report) if plain else self._serialiser.report(report)
        self._results.add(data, status[0] if status else "", hooks)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected is an error."""
        if report.failed:
            report.result = []
            self._results.add(self._serialiser.report(report), "error", ())

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Some tests will not run."""
        self._results.counts["deselected"] += len(items)

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """A warning was recorded; where, is told if that is in a cell."""
        self._results.counts["warning"] += 1
        warning = f"{warning_message.category.__name__}: {warning_message.message}"
        if self._notebook.cell_of_file(warning_message.filename) is not None:
            warning = f"{warning_message.filename}:{warning_message.lineno}: {warning}"
        self._results.warnings.append(str(self._serialiser.mapped(warning)))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """All tests have run, or pytest says why not."""
        stopped = str(session.shouldfail or session.shouldstop or "")
        self._results.stopped = self._results.stopped or stopped

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """A phase of a test, or the collection, has raised: the first of them is for `%debug`."""
        if call.excinfo is not None and self._run.failure is None:
            self._run.failure = call.excinfo.value

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """The run was interrupted; what is running now is where."""
        # pytest's own ways to stop derive from KeyboardInterrupt; a test may raise none of those.
        if type(excinfo.value) is KeyboardInterrupt:
            self._results.interrupted = self._nodeid or "the collection"
        elif isinstance(excinfo.value, pytest.exit.Exception):
            self._results.stopped = f"pytest.exit: {excinfo.value.msg}"


def _plain_data(report: pytest.TestReport) -> dict[str, Any]:
    return {
        "nodeid": report.nodeid, "outcome": report.outcome, "duration": report.duration,
        "user_properties": report.user_properties,
    }  # fmt: skip
