"""Inline runs: the tests of the live notebook, their results under the cell, and how it ends.

May import pytest and IPython. An `Action` is awaited by a cell, or done now where nothing can be.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import io
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest
from IPython.core.error import UsageError

import nbxunit
from nbxunit import protocol
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.inline.guards import Guards, differences
from nbxunit.kernel.inline.open_scope import Opened
from nbxunit.kernel.lifecycle import bridge
from nbxunit.kernel.results import outline, output
from nbxunit.kernel.results.displays import Displays
from nbxunit.kernel.results.model import Results
from nbxunit.kernel.run import engine, reasons
from nbxunit.kernel.run.reports import Serialiser

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

T = TypeVar("T")
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
        self._status: tuple[object, Any] = None, None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """It is known how many tests will run."""
        self._results.planned = len(session.items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._live.running = nodeid.partition("::")[2]
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
        hooks, self._notebook.hook_runs = self._notebook.hook_runs, []
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
        if call.excinfo is not None and self._notebook.failure is None:
            self._notebook.failure = call.excinfo.value

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


@dataclasses.dataclass(frozen=True)
class Action:
    """What a magic does with tests: `work`, and `conclude` what came of it."""

    work: Callable[[], _Outcome]
    conclude: Callable[[_Outcome], None]

    async def awaited(self) -> None:
        """Do it in a cell that awaits, so that tests can."""
        __tracebackhide__ = True
        self.conclude(await bridge.run(self.work))

    def now(self) -> None:
        """Do it where nothing can be awaited; a test that awaits is an error then."""
        self.conclude(self.work())


def running(notebook: Notebook, words: Sequence[str]) -> Action:
    """Run the tests that `words`, pytest's arguments, select, and show the results.

    Raises nbxunit.TestsFailed where not all is well, UsageError for words that make no sense, and
    KeyboardInterrupt after the teardowns of an interrupted run.
    """
    try:
        guards, rest = Guards.of(words)
    except ValueError as exc:
        raise UsageError(f"%xunit_run: --shuffle=SEED takes a number: {exc}") from exc
    if not guards.twice:
        return Action(
            lambda: _run(notebook, rest, guards), lambda outcome: _conclude(notebook, outcome)
        )
    return Action(
        lambda: _run_twice(notebook, rest, guards), lambda outcome: _conclude(notebook, outcome)
    )


def opening(notebook: Notebook, path: tuple[str, ...]) -> Action:
    """Set up the module, and the class of `path` in it, and leave them open for the runs to come.

    Raises nbxunit.TestsFailed where a setup fails, and UsageError where there is no such class.
    """
    return Action(
        lambda: _open(notebook, path), lambda outcome: _conclude_opening(notebook, outcome)
    )


def closing(notebook: Notebook, then: Callable[[], None] = lambda: None) -> Action:
    """Tear down what is open, and do `then`. Raises nbxunit.TestsFailed where a teardown fails."""

    def conclude(outcome: _Outcome) -> None:
        then()
        _conclude_opening(notebook, outcome)

    return Action(lambda: _close(notebook), conclude)


def words_of(line: str) -> list[str]:
    """The words of a magic's line, split as a shell does. UsageError for an open quote."""
    try:
        return shlex.split(line)
    except ValueError as exc:
        raise UsageError(f"%xunit_run: {exc}: {line}") from exc


def _open(notebook: Notebook, path: tuple[str, ...]) -> _Outcome:
    run = _Run(notebook)
    with engine.restored(), _breakpoints():
        opened = Opened(notebook, path)
        is_open = False
        try:
            is_open = run.record(opened.prepared, opened.open)
        except pytest.UsageError as exc:
            raise UsageError(f"%xunit_open: {'; '.join(map(str, exc.args))}") from exc
        finally:
            if not is_open:
                opened.close([])
    if is_open:
        notebook.opened = opened
        # A kernel that is shut down or restarted exits as any Python does.
        opened.at_exit = lambda: opened.close([])
        atexit.register(opened.at_exit)
        run.results.notes.insert(0, f"{opened.label}: open; tests run inside it until %xunit_close")
    return run.outcome(int(pytest.ExitCode.OK if is_open else pytest.ExitCode.TESTS_FAILED))


def _close(notebook: Notebook) -> _Outcome:
    opened, notebook.opened = notebook.opened, None
    assert opened is not None
    run = _Run(notebook)
    with engine.restored(), _breakpoints():
        atexit.unregister(opened.at_exit)
        run.record(opened.prepared, opened.close)
    failed = bool(set(run.results.counts) & {"failed", "error"})
    if not failed:
        run.results.notes.insert(0, f"{opened.label}: closed")
    return run.outcome(int(failed))


def _conclude_opening(notebook: Notebook, outcome: _Outcome) -> None:
    results = outcome[0]
    if results.status == pytest.ExitCode.OK:
        output.say_notes(results.notes)
        return
    _conclude(notebook, outcome)


class _Run:
    """What is recorded of one run."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._start = time.perf_counter()
        self.results = Results(cells={each.label: each for each in notebook.cell_files.values()})
        self.plugins: list[object] = []
        self._live = output.Live(notebook, self.results)

    def record(self, prepared: engine.Prepared, act: Callable[[list[object]], T]) -> T:
        """What `act` returns, which is given the plugins that record."""
        recording = _Recording(self.results, prepared, self._live)
        self._live.begin()
        try:
            return act([recording, Displays(self._notebook.shell, self.results), *self.plugins])
        finally:
            self._live.stop()

    def outcome(self, status: int, listing: str = "") -> _Outcome:
        """The run has ended."""
        self.results.end(status, time.perf_counter() - self._start)
        self.results.notes += self._notebook.take_notes()
        return self.results, self._live, listing


def _run_twice(notebook: Notebook, words: Sequence[str], guards: Guards) -> _Outcome:
    """The second of two runs, which fails if they differ; then the first is shown too."""
    first = _run(notebook, words, guards)
    if first[0].interrupted or first[0].message:
        return first
    second = _run(notebook, words, guards)
    found = differences(first[0], second[0])
    if found:
        first[1].go_before(second[1])
        first[1].finish()
        second[0].notes += found
        second[0].status = second[0].status or int(pytest.ExitCode.TESTS_FAILED)
    else:
        second[0].notes.append("run twice: with the same outcomes")
    return second


def _run(notebook: Notebook, words: Sequence[str], guards: Guards) -> _Outcome:
    """The results of one run, and what pytest's terminal reporter wrote."""
    run = _Run(notebook)
    results = run.results
    status = int(pytest.ExitCode.USAGE_ERROR)
    with engine.restored(), _breakpoints():
        prepared, act = _prepare(notebook, words)
        run.plugins += guards.plugins(notebook, results)
        option = prepared.config.option
        if option.version == 1:  # since pytest 9 a configuration knows no answer
            pytest_config.unconfigure(prepared.config)
            return run.outcome(0, f"nbxunit {nbxunit.__version__}, pytest {pytest.__version__}\n")
        if option.help or option.version:
            printed = _capture(lambda: engine.finish(prepared, []))
            return run.outcome(0, protocol.clean(printed + prepared.text.getvalue()))
        try:
            status = run.record(prepared, act)
        except pytest.UsageError as exc:
            results.message = "\n".join(map(str, exc.args))
    if notebook.opened is not None and notebook.opened.is_closed:
        atexit.unregister(notebook.opened.at_exit)
        notebook.note(f"{notebook.opened.label}: closed")
        notebook.opened = None
    if status == pytest.ExitCode.INTERNAL_ERROR:
        results.message = prepared.text.getvalue()
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        results.reasons = reasons.reasons_for_none(prepared)
    outline.remember(notebook.last_runs, results)
    if not notebook.partial:
        for cell in notebook.registry.take_left_out():
            notebook.note(
                f"left out: the tests of [{cell.number}], which was deleted or cut; "
                "run that cell if it is still there"
            )
    counted = [test for test in results.tests.values() if test.counted]
    runs = not option.collectonly and not option.setuponly
    if runs and status == pytest.ExitCode.OK and len(counted) < results.planned:
        results.stopped = results.stopped or "the run ended early"
    listing = option.collectonly or option.showfixtures or option.markers or option.setupplan
    text = prepared.text.getvalue()
    told = text if listing else _durations(text) if option.durations is not None else ""
    return run.outcome(status, str(Serialiser(notebook, prepared.config).mapped(told)))


def _durations(text: str) -> str:
    """The list of the slowest phases, out of what its terminal reporter wrote."""
    match = re.search(r"^=+ slowest .*?(?=^=|\Z)", text, re.DOTALL | re.MULTILINE)
    return match[0] if match else ""


def _prepare(
    notebook: Notebook, words: Sequence[str]
) -> tuple[engine.Prepared, Callable[[list[object]], int]]:
    """The run that `words` ask for: inside the scope that is open, else from setup to teardown."""
    opened = notebook.opened
    if opened is None:
        try:
            prepared = engine.prepare(notebook, words)
        except pytest.UsageError as exc:
            raise UsageError(f"%xunit_run: {_reason(exc)}") from exc
        return prepared, lambda plugins: engine.finish(prepared, plugins)
    if any(word.startswith("-") for word in words):
        raise UsageError(
            f"%xunit_run: while {opened.label} is open, only names of tests can be given; "
            "%xunit_close closes it"
        )
    return opened.prepared, lambda plugins: opened.run(words, plugins)


def _reason(exc: pytest.UsageError) -> str:
    """What pytest has against the options, without the usage of a command that nobody called."""
    text = protocol.clean("; ".join(map(str, exc.args)))  # Python 3.14 colours it
    return text.partition(" error: ")[2].partition("\n")[0] if text.startswith("usage: ") else text


def _capture(call: Callable[[], object]) -> str:
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
    if not bad and results.ending:
        what = results.ending
    elif not bad and any(note.startswith("run twice: ") for note in results.notes):
        what = "the second run differs from the first"
    again = "details above; run them again with %xunit_run --lf" if bad else "details above"
    raise nbxunit.TestsFailed(f"{what}{f': {named}' if named else ''} ({again})")
