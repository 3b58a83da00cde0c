"""One pytest run in this kernel: prepared, finished, and nothing left behind.

May import pytest. Inline, `run_inline` does it all; headless, `prepare` comes before the notebook's
first cell, and `finish` behind its last.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.cells import hints, values
from nbxunit.kernel.cells.patterns import Patterns
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.compat import installed
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import fixtures, scopes, unittest_rules
from nbxunit.kernel.lifecycle.awaiting import Awaiting
from nbxunit.kernel.run import exits, raised_magics
from nbxunit.kernel.run.collection import Collecting
from nbxunit.kernel.run.selection import Selecting, Selection

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.run.state import RunState

BLOCKED = ("nbmake", "nbval", "nb_regression", "pytest_notebook")
"""Plugins of other tools that want the same files, and cost seconds to import."""
WITHOUT_BLOCKED = tuple(word for name in BLOCKED for word in ("-p", f"no:{name}"))
"""The arguments of pytest that keep them out."""
NEUTRAL: Mapping[str, object] = {
    "nbxunit": False, "numprocesses": None, "dist": "no", "tx": [], "maxprocesses": None,
    "xmlpath": None, "htmlpath": None, "cov_source": [], "no_cov": True,
    "cacheshow": None, "cacheclear": False, "pastebin": None, "store_durations": False,
    "splits": None, "group": None, "json_report": False, "log_file": None, "no_header": True,
}  # fmt: skip
"""Options of plugins that report, write or distribute: that is the host's, as under xdist."""
SELECTING: Mapping[str, object] = {
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
}  # fmt: skip
"""Options that select by the cache. A host has done so; inline it is done here."""

_running = threading.Lock()


class Rules:
    """The plugin for what differs from a module: unittest's own rules, hints, one working state."""

    def __init__(self, notebook: Notebook, run: RunState, *, failfast: bool) -> None:
        self._notebook = notebook
        self._run = run
        self._failfast = failfast

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Let a conftest tell that it is in a kernel."""
        config.nbxunit_kernel = True  # type: ignore[attr-defined]

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
        hint = hints.hint(self._notebook, exc) if exc is not None else None
        if exc is not None and hint and hint not in getattr(exc, "__notes__", ()):
            exc.add_note(hint)
        report: Any = yield
        if report.failed:
            self._run.test_failed()
        return report

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
    collecting: Collecting
    text: io.StringIO = dataclasses.field(default_factory=io.StringIO)


def prepare(
    notebook: Notebook,
    run: RunState,
    args: Sequence[str],
    selection: Selection | None = None,
    options: Mapping[str, object] | None = None,
) -> Prepared:
    """Load ini files, plugins and conftests as pytest does before it imports a module.

    With `options`, the values that a host resolved, `addopts` does not count. pytest.UsageError for
    options that pytest does not know.
    """
    where = notebook.path if notebook.path.is_file() else notebook.path.parent
    words = [*args, *WITHOUT_BLOCKED, str(where)]
    neutral = dict(NEUTRAL)
    if options is None:
        with installed.read_once():
            config = pytest_config.prepare(words, [])
        pytest_config.leave_garbage(config)
        # With --help, pytest reads no further than that option.
        ids = _ids((getattr(config.option, "file_or_dir", None) or [])[:-1])
        selection = dataclasses.replace(selection or Selection(), ids=ids)
        run.partial = bool(ids)
        run.left_out = _left_out(notebook, ids)
        failfast = config.option.maxfail == 1
    else:
        neutral |= SELECTING
        with installed.read_once():
            config = pytest_config.prepare_from({**options, **neutral}, words)
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
    collecting = Collecting(notebook, run)
    selecting = Selecting(selection or Selection(), collecting)
    for plugin in (collecting, selecting, Awaiting(), Rules(notebook, run, failfast=failfast)):
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
        for plugin in (*plugins, Sinking(prepared)):
            manager.register(plugin)
        stack.enter_context(pytest_config.fixtures_looked_for_once())
        return pytest_config.finish(prepared.config)


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
            raised_magics.raising(shell),
        ):
            yield
    finally:
        prepared.run.end()
        _running.release()


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Whatever a run changes in this process is put back: paths, filters, handlers, conftests."""
    path, meta_path, hook = sys.path[:], sys.meta_path[:], sys.excepthook
    breakpoint_hook, root, modules = sys.breakpointhook, logging.getLogger(), set(sys.modules)
    handlers, level = root.handlers[:], root.level
    environment = {name: os.environ.get(name) for name in ("PYTEST_VERSION", "PYTEST_CURRENT_TEST")}
    with warnings.catch_warnings():
        try:
            yield
        finally:
            sys.path[:], sys.meta_path[:], sys.excepthook = path, meta_path, hook
            sys.breakpointhook, root.handlers[:] = breakpoint_hook, handlers
            root.setLevel(level)
            _forget_conftests(modules)
            for name, value in environment.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _forget_conftests(before: set[str]) -> None:
    """Drop the conftests that a run imported, so that the next run sees a change in them."""
    for name in set(sys.modules) - before:
        if name.rpartition(".")[2] == "conftest":
            del sys.modules[name]
