"""One pytest run in this kernel: prepared, finished, and nothing left behind.

May import pytest. Inline, `run_inline` does it all; headless, `prepare` comes before the notebook's
first cell, and `finish` behind its last.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit import transport_warnings
from nbxunit.kernel.cells import compared, data, hints, values
from nbxunit.kernel.cells.patterns import Patterns
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.compat import installed, plugins, reprs, sessions
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.compat.live_log import LiveLog
from nbxunit.kernel.lifecycle import fixtures, scopes, unittest_rules
from nbxunit.kernel.lifecycle.awaiting import Awaiting
from nbxunit.kernel.run import exits, raised_magics, streams, tree
from nbxunit.kernel.run.collecting import Collecting
from nbxunit.kernel.run.options import NEUTRAL, REPORTED, SELECTING, WITHOUT_BLOCKED, refuse
from nbxunit.kernel.run.resolved import Resolved
from nbxunit.kernel.run.selection import Collects, Selecting, Selection

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.run.state import RunState

_running = threading.Lock()


class Rules:
    """The plugin for what differs from a module: unittest's own rules, hints, one working state."""

    def __init__(self, notebook: Notebook, run: RunState, *, failfast: bool) -> None:
        self._notebook = notebook
        self._run = run
        self._failfast = failfast

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Let a conftest tell that it is in a kernel; drop warnings of what carries our messages."""
        config.nbxunit_kernel = True  # type: ignore[attr-defined]
        for line in transport_warnings.IGNORED:
            config.addinivalue_line("filterwarnings", line)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Name the test's cell in its reports; let `-x` end subtests, as unittest's -f does."""
        unittest_rules.support_subtests(item, failfast=self._failfast)
        try:
            where = item.location[0]
        except OSError:  # a class or a mock as a test: Python finds no file for it
            where = str(self._notebook.path)
            pytest_nodes.place_node(item, where, 1)
        cell = self._notebook.cell_of_file(str(where))
        if cell is not None:
            notebook = item.nodeid.partition("::")[0]
            item.user_properties += [("notebook", notebook), ("cell", cell.label)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        """Skips in a setup and its cleanups are a skip."""
        __tracebackhide__ = True
        yield from self._skips_of_groups()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Skips in several teardowns are a skip."""
        __tracebackhide__ = True
        yield from self._skips_of_groups()

    def _skips_of_groups(self) -> Iterator[None]:
        __tracebackhide__ = True
        try:
            yield
        except BaseExceptionGroup as group:
            skip = unittest_rules.skip_of(group)
            if skip is None:
                raise
            raise skip from None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Add values to a plain assert, and hints to what a person would have to think about."""
        for excinfo in pytest_nodes.excinfos(item, call):
            if isinstance(excinfo.value, AssertionError):
                values.explain(self._notebook, excinfo.value)
                if excinfo is call.excinfo:
                    call.excinfo = pytest_nodes.stripped(excinfo)
        exc = call.excinfo.value if call.excinfo is not None else None
        found = compared.difference(self._notebook, exc) if exc is not None else None
        if exc is not None and found is not None:
            exc.add_note(f"\n{found.text}")
        hints.add(self._notebook, exc)
        report: Any = yield
        if report.failed:
            hints.explain_fixture(report.longrepr, tree.imported_from(item))
            self._run.test_failed()
            if found is not None and not self._notebook.headless:
                report.nbxunit_difference = dataclasses.asdict(found)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Name the data that are compared; where they differ, is told once the assert has failed."""
        sides = data.words(left), data.words(right)
        if not any(sides):
            return None
        told = (
            words or pytest_nodes.short_repr(value)
            for words, value in zip(sides, (left, right), strict=True)
        )
        return [f" {op} ".join(told)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: pytest.FixtureRequest) -> None:
        """Let setUpClass, tearDownClass and their cleanups report all that they raise.

        Remember a SystemExit of setup_class for all tests of the class. Hand hook cells' fixtures
        their request.
        """
        fixtures.hand(fixturedef.func, request)
        if pytest_nodes.is_unittest_hook(fixturedef):
            pytest_nodes.replace_function(fixturedef, unittest_rules.class_fixture)
        elif pytest_nodes.is_python_hook(fixturedef) and not hasattr(fixturedef.func, "nbxunit"):
            pytest_nodes.replace_function(fixturedef, _without_exit(fixturedef.func))


def _without_exit(function: Any) -> Any:
    def fixture(request: pytest.FixtureRequest) -> Iterator[None]:
        __tracebackhide__ = True
        try:
            yield from function(request)
        except SystemExit as exc:
            raise scopes.HookExit(f"SystemExit: {exc}") from exc

    fixture.nbxunit = True  # type: ignore[attr-defined]
    return fixture


@dataclasses.dataclass
class Prepared:
    """A run that has been prepared: `text` is what the sunk terminal reporter writes."""

    config: pytest.Config
    notebook: Notebook
    run: RunState
    selecting: Selecting
    collecting: Collects
    text: io.StringIO = dataclasses.field(default_factory=io.StringIO)
    session: pytest.Session | None = None
    live_log: LiveLog | None = None

    def begin(self) -> None:
        """Configure, and begin the session, as pytest does before it imports a module.

        Whatever raises there ends the run.
        """
        self.config.pluginmanager.register(Sinking(self))
        try:
            with (
                pytest_config.cache_in_memory(self.run.cache),
                pytest_config.fixtures_looked_for_once(),
            ):
                self.session = sessions.begin_session(self.config)
                self.live_log = LiveLog(self.config)
        except BaseException:
            pytest_config.unconfigure(self.config)
            raise


def prepare(
    notebook: Notebook,
    run: RunState,
    args: Sequence[str],
    selection: Selection | None = None,
    resolved: Resolved | None = None,
    collecting: Collects | None = None,
) -> Prepared:
    """Load ini files, plugins and conftests as pytest does before it imports a module.

    With what a host has `resolved`, `addopts` does not count. `collecting` is what pytest is to collect
    in place of the notebook. pytest.UsageError for options that pytest does not know.
    """
    collecting = collecting or Collecting(notebook, run)
    standard = streams.Streams()  # before pytest captures
    where = collecting.path
    words = [*args, *WITHOUT_BLOCKED]
    neutral = dict(NEUTRAL)
    if resolved is None:
        with installed.read_once(), plugins.quiet_rewriting(), plugins.own_conftests(where):
            silenced = plugins.Silenced(NEUTRAL)
            config = pytest_config.prepare([*words, str(where)], [silenced])
        refuse(plugins.options_named(config, args))
        pytest_config.leave_garbage(config)
        # With --help, pytest reads no further than that option.
        ids = _ids((getattr(config.option, "file_or_dir", None) or [])[:-1])
        selection = dataclasses.replace(selection or Selection(), ids=ids)
        run.partial = bool(ids)
        run.left_out = _left_out(notebook, ids)
        failfast = config.option.maxfail == 1
    else:
        neutral = {**neutral, **SELECTING, **REPORTED}
        with installed.read_once():
            options = {**resolved.options, **neutral}
            made = resolved.made.keys() - neutral.keys()
            config = pytest_config.prepare_from(options, [*words, str(where)], resolved.words, made)
        failfast = options.get("maxfail") == 1
    config.args = [str(where)]
    config.option.file_or_dir = config.args
    for name, value in neutral.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    notebook.patterns = Patterns(
        tuple(config.getini("python_functions")), tuple(config.getini("python_classes")),
        config.getoption("assertmode", "rewrite") != "plain",
    )  # fmt: skip
    selecting = Selecting(selection or Selection(), collecting)
    rules = Rules(notebook, run, failfast=failfast)
    for plugin in (collecting, selecting, Awaiting(), standard, rules):
        config.pluginmanager.register(plugin)
    return Prepared(config, notebook, run, selecting, collecting)


def _left_out(notebook: Notebook, ids: Sequence[str]) -> frozenset[str]:
    """The test cells without a class that need not be collected where `ids` name others of them."""
    tests = {test.directive.target for test in notebook.registry.tests() if not test.directive.path}
    is_narrow = ids and tests.issuperset(ids) and "load_tests" not in notebook.namespace
    return frozenset(tests.difference(ids) if is_narrow else ())


def _ids(words: Sequence[str]) -> tuple[str, ...]:
    """Node ids as a person writes them: with or without the notebook in front."""
    ids = []
    for word in words:
        first, _, rest = word.partition("::")
        ids.append(rest if first.endswith(".ipynb") and rest else word)
    return tuple(word for word in ids if not word.endswith(".ipynb"))


class Sinking:
    """The plugin that keeps pytest's terminal output for us."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Every plugin has been configured."""
        pytest_config.sink_terminal(config, self._prepared.text)


def finish(prepared: Prepared, plugins: Sequence[object]) -> int:
    """Collect and run the tests once; pytest's exit status. UsageError as from pytest.

    RuntimeError when a run is under way in this kernel.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone(prepared))
        except RuntimeError:
            pytest_config.unconfigure(prepared.config)
            raise
        stack.callback(scopes.close_all)
        manager = prepared.config.pluginmanager
        sinking = [Sinking(prepared)] if prepared.session is None else []
        stack.enter_context(pytest_config.fixtures_looked_for_once())
        for plugin in (*plugins, *sinking):
            manager.register(plugin)
        return pytest_config.finish(prepared.config, prepared.session)


@contextlib.contextmanager
def alone(prepared: Prepared) -> Iterator[None]:
    """Within, tests of a notebook run. RuntimeError when a run is under way in this kernel."""
    if not _running.acquire(blocking=False):
        raise RuntimeError("tests are running already; a test cannot run the tests of its notebook")
    try:
        run, shell = prepared.run, prepared.notebook.shell
        run.begin()
        with (
            pytest_config.cache_in_memory(run.cache),
            exits.raising(shell),
            reprs.worded(data.words),
            raised_magics.raising(shell),
        ):
            yield
    finally:
        streams.reopen_handlers()
        prepared.run.end()
        _running.release()
