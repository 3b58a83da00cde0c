"""Inline runs: the tests of the live notebook, their results under the cell, and how it ends.

May import pytest and IPython. `run` is for cells that await, `run_now` for where nothing can.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from IPython.core.error import UsageError

import nbxunit
from nbxunit.kernel import bridge, engine, outline, output, wire
from nbxunit.kernel.displays import Displays
from nbxunit.kernel.reports import Serialiser
from nbxunit.kernel.results import Results

if TYPE_CHECKING:
    from nbxunit.kernel.notebook import Notebook

_Outcome: TypeAlias = tuple[Results, output.Live, str]
"""The results of a run, where they are shown, and what pytest was asked to list."""


class _Recording:
    """The plugin that makes results of reports."""

    def __init__(self, results: Results, prepared: engine.Prepared, live: output.Live) -> None:
        self._results = results
        self._live = live
        self._notebook = prepared.notebook
        self._config = prepared.config
        self._serialiser = Serialiser(prepared.notebook, prepared.config)
        self._nodeid = ""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """It is known how many tests will run."""
        self._results.planned = len(session.items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._live.running = nodeid.partition("::")[2]
        self._nodeid = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        status = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        hooks, self._notebook.hook_runs = self._notebook.hook_runs, []
        self._results.add(self._serialiser.report(report), status[0] if status else "", hooks)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected is an error."""
        if report.failed:
            report.result = []
            self._results.add(self._serialiser.report(report), "error", ())

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Some tests will not run."""
        self._results.counts["deselected"] += len(items)

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """A warning was recorded."""
        self._results.counts["warning"] += 1
        warning = f"{warning_message.category.__name__}: {warning_message.message}"
        self._results.warnings.append(str(self._serialiser.mapped(warning)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """The run was interrupted; what is running now is where."""
        # pytest's own ways to stop derive from KeyboardInterrupt; a test may raise none of those.
        if type(excinfo.value) is KeyboardInterrupt:
            self._results.interrupted = self._nodeid or "the collection"


async def run(notebook: Notebook, words: Sequence[str]) -> None:
    """Run the tests that `words`, pytest's arguments, select, and show the results.

    Raises nbxunit.TestsFailed where not all is well, UsageError for words that make no sense, and
    KeyboardInterrupt after the teardowns of an interrupted run.
    """
    __tracebackhide__ = True
    _conclude(notebook, await bridge.run(_run, notebook, words))


def run_now(notebook: Notebook, words: Sequence[str]) -> None:
    """`run` from code that cannot await; a test that awaits is an error then."""
    _conclude(notebook, _run(notebook, words))


def words_of(line: str) -> list[str]:
    """The words of a magic's line, split as a shell does. UsageError for an open quote."""
    try:
        return shlex.split(line)
    except ValueError as exc:
        raise UsageError(f"%xunit_run: {exc}: {line}") from exc


def _run(notebook: Notebook, words: Sequence[str]) -> _Outcome:
    """The results of one run, and what pytest's terminal reporter wrote."""
    start = time.perf_counter()
    results = Results(cells={cell.label: cell for cell in notebook.cell_files.values()})
    live = output.Live(notebook, results)
    with engine.restored(), _breakpoints():
        try:
            prepared = engine.prepare(notebook, words)
        except pytest.UsageError as exc:
            raise UsageError(f"%xunit_run: {'; '.join(map(str, exc.args))}") from exc
        if prepared.config.option.help or prepared.config.option.version:
            return results, live, _capture(lambda: engine.finish(prepared, []))
        try:
            recording = _Recording(results, prepared, live)
            live.begin()
            plugins = [recording, Displays(notebook.shell, results)]
            results.status = engine.finish(prepared, plugins)
        except pytest.UsageError as exc:
            results.status = int(pytest.ExitCode.USAGE_ERROR)
            results.message = "\n".join(map(str, exc.args))
        finally:
            live.stop()
    if results.status == pytest.ExitCode.INTERNAL_ERROR:
        results.message = prepared.text.getvalue()
    if results.status == pytest.ExitCode.NO_TESTS_COLLECTED:
        results.reasons = wire.reasons_for_none(prepared)
    results.seconds = time.perf_counter() - start
    option = prepared.config.option
    listing = option.collectonly or option.showfixtures or option.markers or option.setupplan
    told = prepared.text.getvalue() if listing or option.durations is not None else ""
    outline.remember(notebook.last_runs, results)
    results.notes = notebook.take_notes()
    return results, live, told


def _capture(call: Callable[[], object]) -> str:
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        call()
    return out.getvalue()


@contextlib.contextmanager
def _breakpoints() -> Any:
    """Let `breakpoint()` stop in a test: ipykernel's debugger swallows it where none is attached."""
    debugpy = sys.modules.get("debugpy")
    if debugpy is None or not debugpy.is_client_connected():
        sys.breakpointhook = sys.__breakpointhook__
    yield


def _conclude(notebook: Notebook, outcome: _Outcome) -> None:
    results, live, listing = outcome
    if listing:
        output.show_text(listing)
        if not results.tests and not results.errors and not results.message:
            return
    live.finish()
    if results.interrupted:
        raise KeyboardInterrupt(f"interrupted in {results.interrupted}")
    if results.status != pytest.ExitCode.OK:
        _fail(notebook, results)


def _fail(notebook: Notebook, results: Results) -> None:
    if not notebook.settings.raise_on_failure:
        return
    bad = [test.nodeid for test in results.tests.values() if test.outcome in ("failed", "error")]
    named = ", ".join(nodeid.partition("::")[2] for nodeid in bad[:3]) + (", ..." if len(bad) > 3 else "")  # noqa: PLR2004  # fmt: skip  # noqa: E501
    what = results.message.partition("\n")[0] or results.summary().rpartition(" in ")[0]
    again = "details above; run them again with %xunit_run --lf" if bad else "details above"
    raise nbxunit.TestsFailed(f"{what}{f': {named}' if named else ''} ({again})")
