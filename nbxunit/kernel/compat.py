"""Private names of pytest and unittest that the kernel side uses; nothing else uses any.

May import pytest. Each function says why no public name will do; each has a test in
`tests/kernel/test_compat.py`, which runs on the oldest and newest supported versions. `ipycompat`
is the same for IPython and ipykernel.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import itertools
import traceback
import types
import unittest.case
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pytest

HIDDEN_NAMES = ("@py_builtins", "@pytest_ar")
"""The names that pytest's assertion rewriting binds at the top of what it rewrites."""


# --- pytest: configuration and run --------------------------------------------------------------


def prepare(args: Sequence[str], plugins: Sequence[object]) -> pytest.Config:
    """The first half of `pytest.main`: ini files, plugins and conftests are loaded.

    pytest has no public way to stop between the two halves, where the notebook is executed.
    """
    from _pytest.config import _prepareconfig

    with _foreign_errors():
        return _prepareconfig(list(args), list(plugins))


def prepare_from(options: Mapping[str, object], args: Sequence[str]) -> pytest.Config:
    """`prepare` with option values that another process resolved, without `addopts`.

    That is `Config.fromdictargs`, by which xdist's workers begin, with a first half that may have
    been made ahead.
    """
    from _pytest.config import Config

    with _foreign_errors():
        config = _ahead.pop(_kept_out(args), None) or _with_own_plugins(args)
        config.invocation_params = Config.InvocationParams(
            args=tuple(args), plugins=None, dir=Path.cwd()
        )
        config.option.__dict__.update(options, plugins=[])
        config.parse(list(args), addopts=False)
        return config


_ahead: dict[frozenset[str], pytest.Config] = {}


def make_ahead(args: Sequence[str]) -> None:
    """Make the first half of `prepare_from`, for one call whose `args` keep the same plugins out.

    It takes a fifth of a small notebook's time; kernels have it from the process that forks them.
    """
    _ahead[_kept_out(args)] = _with_own_plugins(args)


def _with_own_plugins(args: Sequence[str]) -> pytest.Config:
    """A configuration with pytest's own plugins only, and without those that `args` keep out."""
    from _pytest.config import get_config

    return get_config(list(args))


def _kept_out(args: Sequence[str]) -> frozenset[str]:
    return frozenset(
        name for word, name in itertools.pairwise(args) if word == "-p" and name.startswith("no:")
    )


@contextlib.contextmanager
def _foreign_errors() -> Iterator[None]:
    """A conftest or plugin that cannot be imported is a usage error, as for pytest's own main."""
    import pytest
    from _pytest import config

    try:
        yield
    except (config.ConftestImportFailure, ImportError) as exc:
        cause = exc.__cause__ or exc
        where = getattr(exc, "path", None) or "a plugin"
        text = "".join(traceback.format_exception(cause)[-3:])
        raise pytest.UsageError(f"{where} cannot be imported:\n{text}") from exc
    except Exception as exc:
        if type(exc).__name__ != "PluginImportFailure":  # new in pytest 9
            raise
        raise pytest.UsageError(f"plugin {exc} cannot be imported: {exc.__cause__}") from exc


_without_fixtures: set[object] = set()


@contextlib.contextmanager
def fixtures_looked_for_once() -> Iterator[None]:
    """Within, pytest looks for fixtures once in those plugins, its own and ours, that have none.

    At the begin of each run it looks at all names of forty modules, a third of a small run's time.
    """
    from _pytest.fixtures import FixtureManager

    real = FixtureManager.pytest_plugin_registered

    def pytest_plugin_registered(self: Any, plugin: object, plugin_name: str) -> None:
        kind = plugin if isinstance(plugin, types.ModuleType) else type(plugin)
        module = str(getattr(kind, "__module__" if isinstance(kind, type) else "__name__", ""))
        if kind in _without_fixtures:
            return
        real_register, found = self._register_fixture, False

        def register(*args: Any, **kwargs: Any) -> None:
            nonlocal found
            found = True
            real_register(*args, **kwargs)

        self._register_fixture = register
        try:
            real(self, plugin, plugin_name)
        finally:
            del self._register_fixture
        if not found and module.startswith(("_pytest.", "nbxunit.")):
            _without_fixtures.add(kind)

    FixtureManager.pytest_plugin_registered = pytest_plugin_registered  # type: ignore[method-assign]
    try:
        yield
    finally:
        FixtureManager.pytest_plugin_registered = real  # type: ignore[method-assign]


def finish(config: pytest.Config) -> int:
    """The second half of `pytest.main`: configure, collect, run; pytest's exit status."""
    try:
        with _literal_arguments():
            return int(config.hook.pytest_cmdline_main(config=config))
    finally:
        unconfigure(config)


@contextlib.contextmanager
def _literal_arguments() -> Iterator[None]:
    """Within, the path of a notebook is just that: pytest takes its `::` or `[` for a test's name."""
    from _pytest import main

    module: Any = main
    resolve = module.resolve_collection_argument

    def literal(folder: Path, argument: str, *args: Any, **more: Any) -> Any:
        path = folder / argument
        if path.suffix != ".ipynb" or not path.is_file():
            return resolve(folder, argument, *args, **more)
        return dataclasses.replace(resolve(folder, path.anchor, *args, **more), path=path)

    module.resolve_collection_argument = literal
    try:
        yield
    finally:
        module.resolve_collection_argument = resolve


@contextlib.contextmanager
def capture_into(folder: Path) -> Iterator[None]:
    """Within, pytest begins to capture into files in `folder`, where a host finds a dead test's output."""
    from _pytest import capture

    module: Any = capture
    original, names = module.TemporaryFile, iter(("stdout", "stderr"))

    def named(*, buffering: int) -> Any:
        name = next(names, None)  # a plugin captures for itself, too
        return (folder / name).open("w+b", buffering) if name else original(buffering=buffering)

    module.TemporaryFile = named
    try:
        yield
    finally:
        module.TemporaryFile = original


def unconfigure(config: pytest.Config) -> None:
    """Undo `prepare`."""
    config._ensure_unconfigure()  # noqa: SLF001


def sink_terminal(config: pytest.Config, file: IO[str]) -> None:
    """Let the terminal reporter write to `file`; unloading it would take its options away."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter._tw._file = file  # noqa: SLF001
        reporter._tw.hasmarkup = False  # noqa: SLF001


def leave_garbage(config: pytest.Config) -> None:
    """Let a run end without collecting garbage, which takes as long as a kernel's data are big.

    Exceptions in finalizers of what is not collected yet are reported by a later run. pytest
    before 8.4 does not collect.
    """
    try:
        from _pytest.unraisableexception import gc_collect_iterations_key
    except ImportError:
        return
    config.stash[gc_collect_iterations_key] = 0


@contextlib.contextmanager
def cache_in_memory(store: dict[str, object]) -> Iterator[None]:
    """While a run lasts, pytest's cache is `store`: a run in a kernel writes no file.

    Plugins read the cache as soon as it is made, so there is no later moment to replace it.
    """
    from _pytest.cacheprovider import Cache

    cache: Any = Cache
    before = cache.get, cache.set
    cache.get = lambda _, key, default: store.get(key, default)
    cache.set = lambda _, key, value: store.__setitem__(key, value)
    try:
        yield
    finally:
        cache.get, cache.set = before


# --- pytest: collection and fixtures ------------------------------------------------------------


def register_fixture(
    node: pytest.Collector, name: str, func: Callable[..., Any], scope: str
) -> None:
    """Register an autouse fixture on `node` (`pytest.register_fixture` is public since 9.1)."""
    import pytest

    public = getattr(pytest, "register_fixture", None)
    if public is not None:
        public(name=name, func=func, node=node, scope=scope, autouse=True)
        return
    manager = node.session._fixturemanager  # noqa: SLF001
    manager._register_fixture(  # noqa: SLF001
        name=name, func=func, nodeid=node.nodeid, scope=cast(Any, scope), autouse=True
    )


def after_registration(
    node: pytest.Collector, method: str, then: Callable[[], None], *, replace: bool = False
) -> None:
    """Let `node` call `then` after (or in place of) its own `_register_setup_<method>_fixture`.

    Our fixtures must stand right behind pytest's own xunit ones, and there is no hook in between.
    """
    name = f"_register_setup_{method}_fixture"
    original = getattr(node, name)

    def register() -> None:
        if not replace:
            original()
        then()

    setattr(node, name, register)


def use_conftests_of_folder(node: pytest.Module) -> None:
    """Let the conftests of the folder of `node` act on its tests, also where its path is no file.

    pytest takes such a path for a folder, where it finds no conftest, and then leaves out the hooks
    of those that are loaded.
    """
    if not node.path.is_file():
        manager = node.config.pluginmanager
        confmods = manager._getconftestmodules(node.path.parent)  # noqa: SLF001
        manager._dirpath2confmods[node.path] = list(confmods)  # noqa: SLF001


def collect_children(node: pytest.Collector) -> list[pytest.Item | pytest.Collector]:
    """What `node` collects; pytest will be given the same, as it registers fixtures meanwhile.

    Not left to the session's cache: what is found there is not reported if it has failed, and pytest
    before 8.3 takes it for a duplicate and drops it.
    """
    report, _ = node.session._collect_one_node(node)  # noqa: SLF001
    node.session._collection_cache.pop(node, None)  # noqa: SLF001
    if not report.passed:
        return []
    children = list(report.result)
    node.collect = lambda: children  # type: ignore[method-assign]
    return children


def place_node(node: Any, filename: str, line: int) -> None:
    """Let pytest take this for the place of `node`; of a class in a cell it can find none."""
    node.location = (filename, line - 1, node.name)


def code_at_line_one(code: types.CodeType, filename: str) -> types.CodeType:
    """`code` as if all of it stood in line 1 of `filename`, where no breakpoint of a cell is.

    There is no public way to write a table of lines: an entry is a byte with the kind (13: no
    columns) and the number of instructions less one, and how many lines to go on by.
    """
    count = len(code.co_code) // 2
    sizes = [min(8, count - at) for at in range(0, count, 8)]
    table = b"".join(bytes([0x80 | 13 << 3 | size - 1, 0]) for size in sizes)
    return code.replace(co_filename=filename, co_firstlineno=1, co_linetable=table)


def first_hook(obj: object, names: Sequence[str]) -> Callable[..., object] | None:
    """The first of the named functions of `obj` that is no fixture (pytest's lookup)."""
    from _pytest.python import _get_first_non_fixture_func

    return cast("Callable[..., object] | None", _get_first_non_fixture_func(obj, names))


def is_fixture(obj: object) -> bool:
    """Whether `obj` is what `pytest.fixture` makes of a function."""
    from _pytest.fixtures import FixtureFunctionMarker, getfixturemarker

    return isinstance(getfixturemarker(obj), FixtureFunctionMarker)


def call_with_optional_argument(func: Callable[..., object], argument: object) -> None:
    """Call a Python hook as pytest does: with its argument if it takes one."""
    __tracebackhide__ = True
    from _pytest.python import _call_with_optional_argument

    _call_with_optional_argument(func, argument)


def mark_names(obj: object) -> list[str]:
    """The names of the marks on a function or class, in the order in which they were applied."""
    from _pytest.mark.structures import get_unpacked_marks

    return [mark.name for mark in get_unpacked_marks(cast(Any, obj))]


# --- pytest: assertions -------------------------------------------------------------------------


def rewrite_asserts(tree: ast.Module) -> None:
    """Let the assert statements of `tree` report their values (there is no public function)."""
    from _pytest.assertion.rewrite import rewrite_asserts as rewrite

    rewrite(tree, b"")
    for node in tree.body:
        # The added imports lack an end, and IPython compiles each statement by its lines.
        if isinstance(node, ast.Import) and node.names[0].asname in HIDDEN_NAMES:
            node.lineno = node.end_lineno = getattr(node, "lineno", 1)
            node.col_offset = node.end_col_offset = 0


# --- unittest -----------------------------------------------------------------------------------


def module_cleanups() -> list[tuple[Callable[..., object], Any, Any]]:
    """Unittest's stack of module cleanups; `doModuleCleanups` drops all errors but the first."""
    return unittest.case._module_cleanups  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def testcase_node(parent: pytest.Collector, test: unittest.TestCase) -> pytest.Class:
    """A node for the class of `test`, which pytest could not make an instance of."""
    from _pytest.unittest import UnitTestCase

    node: Any = UnitTestCase.from_parent(parent, name=type(test).__name__)
    node.obj = type(test)
    node.newinstance = lambda: test
    return cast("pytest.Class", node)


def testcase_item(node: pytest.Class, name: str, test: unittest.TestCase) -> pytest.Item:
    """An item that runs `test`, which pytest does not collect by itself."""
    from _pytest.unittest import TestCaseFunction

    method = test._testMethodName  # noqa: SLF001
    item: Any = TestCaseFunction.from_parent(node, name=name, callobj=getattr(test, method))
    item.originalname = method
    use_instance(item, test)
    item.ihook.pytest_itemcollected(item=item)
    return cast("pytest.Item", item)


def use_instance(item: Any, test: unittest.TestCase) -> None:
    """Let `item` run the instance `test`, and not make one."""
    item._obj = getattr(test, test._testMethodName)  # noqa: SLF001
    item._instance = test  # noqa: SLF001
    item._getinstance = lambda: test  # noqa: SLF001


# --- pytest: async tests and fixtures ------------------------------------------------------------


def replace_function(fixturedef: Any, function: Callable[..., Any]) -> None:
    """Let pytest call `function` for a fixture, with its own caching, binding and teardown."""
    fixturedef.func = function


def is_python_hook(fixturedef: Any) -> bool:
    """Whether a fixture is pytest's form of setup_class."""
    return str(fixturedef.argname).startswith("_xunit_setup_class")


def is_unittest_hook(fixturedef: Any) -> bool:
    """Whether a fixture is pytest's form of setUpClass."""
    return str(fixturedef.argname).startswith("_unittest_setUpClass")
