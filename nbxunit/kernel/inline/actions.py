"""Inline runs: the tests of the live notebook, their results under the cell, and how it ends.

May import pytest and IPython. An `Action` is awaited by a cell, or done now where nothing can be.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import io
import os
import re
import shlex
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.error import UsageError

import nbxunit
from nbxunit import protocol
from nbxunit.kernel.companion.plugin import Companion, Surroundings
from nbxunit.kernel.compat import ahead, ipython
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.inline import concluding
from nbxunit.kernel.inline.guards import Guards, differences
from nbxunit.kernel.inline.open_scope import Opened
from nbxunit.kernel.inline.recording import Outcome, RecordedRun
from nbxunit.kernel.lifecycle import bridge
from nbxunit.kernel.results import outline
from nbxunit.kernel.run import engine, reasons
from nbxunit.kernel.run.options import WITHOUT_BLOCKED
from nbxunit.kernel.run.reports import Serialiser
from nbxunit.kernel.run.restoring import breakpoints, restored

if TYPE_CHECKING:
    from nbxunit.kernel.inline.live import LiveNotebook


AHEAD = 0.05
"""Seconds after a run for which a kernel may have more cells to run."""
LAST_FRAMES = 3
"""Entries of a traceback that are shown of an error that is no test's."""


@dataclasses.dataclass(frozen=True)
class Action:
    """What a magic does with tests: `work`, and `conclude` what came of it."""

    work: Callable[[], Outcome]
    conclude: Callable[[Outcome], None]

    async def awaited(self) -> None:
        """Do it in a cell that awaits, so that tests can."""
        __tracebackhide__ = True
        self.conclude(await bridge.run(self.work))

    def now(self) -> None:
        """Do it where nothing can be awaited; a test that awaits is an error then."""
        self.conclude(self.work())


def running(live: LiveNotebook, words: Sequence[str], *, of_cell: bool = False) -> Action:
    """Run the tests that `words`, pytest's arguments, select, and show the results.

    With `of_cell` it is the run of one test cell, behind which a notebook may go on. Raises
    nbxunit.TestsFailed where not all is well, UsageError for words that make no sense, and
    KeyboardInterrupt after the teardowns of an interrupted run.
    """
    try:
        guards, rest = Guards.of(words)
    except ValueError as exc:
        raise UsageError(f"%xunit_run: --shuffle=SEED takes a number: {exc}") from exc
    run = _run_twice if guards.twice else _run
    return Action(
        lambda: run(live, rest, guards),
        lambda outcome: concluding.conclude(live, outcome, of_cell=of_cell),
    )


def opening(live: LiveNotebook, path: tuple[str, ...]) -> Action:
    """Set up the module, and the class of `path` in it, and leave them open for the runs to come.

    Raises nbxunit.TestsFailed where a setup fails, and UsageError where there is no such class.
    """
    return Action(
        lambda: _open(live, path), lambda outcome: concluding.conclude_opening(live, outcome)
    )


def closing(live: LiveNotebook, then: Callable[[], None] = lambda: None) -> Action:
    """Tear down what is open, and do `then`. Raises nbxunit.TestsFailed where a teardown fails."""

    def conclude(outcome: Outcome) -> None:
        then()
        concluding.conclude_opening(live, outcome)

    return Action(lambda: _close(live), conclude)


def words_of(line: str) -> list[str]:
    """The words of a magic's line, split as a shell does. UsageError for an open quote."""
    try:
        return shlex.split(line)
    except ValueError as exc:
        raise UsageError(f"%xunit_run: {exc}: {line}") from exc


def _open(live: LiveNotebook, path: tuple[str, ...]) -> Outcome:
    run = RecordedRun(live)
    with restored(), breakpoints():
        opened = Opened(live.notebook, live.run, path)
        is_open = False
        try:
            is_open = run.record(opened.prepared, opened.open)
        except pytest.UsageError as exc:
            raise UsageError(f"%xunit_open: {'; '.join(map(str, exc.args))}") from exc
        finally:
            if not is_open:
                opened.close([])
    if is_open:
        live.opened = opened
        # A kernel that is shut down or restarted exits as any Python does.
        opened.at_exit = lambda: opened.close([])
        atexit.register(opened.at_exit)
        run.results.notes.insert(0, f"{opened.label}: open; tests run inside it until %xunit_close")
    return run.outcome(int(pytest.ExitCode.OK if is_open else pytest.ExitCode.TESTS_FAILED))


def _close(live: LiveNotebook) -> Outcome:
    opened, live.opened = live.opened, None
    assert opened is not None
    run = RecordedRun(live)
    with restored(), breakpoints():
        atexit.unregister(opened.at_exit)
        run.record(opened.prepared, opened.close)
    failed = bool(set(run.results.counts) & {"failed", "error"})
    if not failed:
        run.results.notes.insert(0, f"{opened.label}: closed")
    return run.outcome(int(failed))


def _run_twice(live: LiveNotebook, words: Sequence[str], guards: Guards) -> Outcome:
    """The second of two runs, which fails if they differ; then the first is shown too."""
    first = _run(live, words, guards)
    if first[0].interrupted or first[0].message:
        return first
    second = _run(live, words, guards)
    found = differences(first[0], second[0])
    if found:
        first[1].go_before(second[1])
        first[1].finish()
        second[0].notes += found
        second[0].status = second[0].status or int(pytest.ExitCode.TESTS_FAILED)
    else:
        second[0].notes.append("run twice: with the same outcomes")
    return second


def _run(live: LiveNotebook, words: Sequence[str], guards: Guards) -> Outcome:
    """The results of one run, and what pytest's terminal reporter wrote."""
    run = RecordedRun(live)
    results = run.results
    status = int(pytest.ExitCode.USAGE_ERROR)
    with restored(), breakpoints():
        prepared, act = _prepare(live, words)
        run.plugins += guards.plugins(live.notebook, results)
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
        except Exception as exc:
            if not results.planned:
                raise
            # A hook of a conftest or plugin; the results that there are say more than it does.
            status = int(pytest.ExitCode.INTERNAL_ERROR)
            frames = "".join(traceback.format_tb(exc.__traceback__)[-LAST_FRAMES:])
            results.message = f"{type(exc).__name__}: {exc}\n{frames}".rstrip()
    ipython.when_idle(live.notebook.shell, lambda: _make_ahead(live), AHEAD)
    if live.opened is not None and live.opened.is_closed:
        atexit.unregister(live.opened.at_exit)
        live.note(f"{live.opened.label}: closed")
        live.opened = None
    if status == pytest.ExitCode.INTERNAL_ERROR:
        results.message = results.message or prepared.text.getvalue()
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        none_yet = outline.none_yet(live.notebook)
        results.reasons = [none_yet] if none_yet else reasons.reasons_for_none(prepared)
    if not isinstance(prepared.collecting, Companion):
        outline.remember(live.last_runs, results)
    results.notes += outline.stale(live.notebook, results)
    if not live.run.partial:
        for cell in live.notebook.registry.take_left_out():
            live.note(
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
    return run.outcome(status, str(Serialiser(live.notebook, prepared.config).mapped(told)))


def _make_ahead(live: LiveNotebook) -> None:
    """Make what the next run begins with, if no cell runs: a person looks at results for longer."""
    if not live.notebook.runs_cell:
        with contextlib.suppress(Exception):  # then the run makes it, or says why not
            ahead.make(WITHOUT_BLOCKED)


def _durations(text: str) -> str:
    """The list of the slowest phases, out of what its terminal reporter wrote."""
    match = re.search(r"^=+ slowest .*?(?=^=|\Z)", text, re.DOTALL | re.MULTILINE)
    return match[0] if match else ""


def _prepare(
    live: LiveNotebook, words: Sequence[str]
) -> tuple[engine.Prepared, Callable[[list[object]], int]]:
    """The run that `words` ask for: inside the scope that is open, else from setup to teardown."""
    opened = live.opened
    companion, words = _companion(live, words)
    if opened is None:
        try:
            prepared = engine.prepare(live.notebook, live.run, words, collecting=companion)
        except pytest.UsageError as exc:
            raise UsageError(f"%xunit_run: {_reason(exc)}") from exc
        return prepared, lambda plugins: engine.finish(prepared, plugins)
    if companion is not None or any(word.startswith("-") for word in words):
        raise UsageError(
            f"%xunit_run: while {opened.label} is open, only names of tests can be given; "
            "%xunit_close closes it"
        )
    return opened.prepared, lambda plugins: opened.run(words, plugins)


def _companion(live: LiveNotebook, words: Sequence[str]) -> tuple[Companion | None, Sequence[str]]:
    """The test module that `words` name, if they name one, and the words with its tests' ids."""
    named: dict[Path, None] = {}
    rest = []
    for word in words:
        file, _, inner = word.partition(".py::") if ".py::" in word else (word[:-3], "", "")
        if word.startswith("-") or not (inner or word.endswith(".py")):
            rest.append(word)
            continue
        path = Path(os.path.abspath(f"{file}.py"))  # noqa: PTH100 - symlinks stay
        if not path.is_file():
            raise UsageError(f"%xunit_run: there is no file {file}.py in {Path.cwd()}")
        named[path] = None
        rest += [inner] if inner else []
    if not named:
        return None, words
    if len(named) > 1:
        raise UsageError("%xunit_run: one test module at a time")
    (path,) = named
    live.note(f"{path.name}: its tests use this live notebook, whose cells are not executed again")
    return Companion(path, Surroundings(live.notebook, live=True)), rest


def _reason(exc: pytest.UsageError) -> str:
    """What pytest has against the options, without the usage of a command that nobody called."""
    text = protocol.clean("; ".join(map(str, exc.args)))  # Python 3.14 colours it
    return text.partition(" error: ")[2].partition("\n")[0] if text.startswith("usage: ") else text


def _capture(call: Callable[[], object]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        call()
    return out.getvalue()
