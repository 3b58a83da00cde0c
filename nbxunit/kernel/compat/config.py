"""Private names of pytest that the kernel side uses; nothing else uses any.

May import pytest. Each function says why no public name will do; each has a test in
`tests/kernel/compat/test_compat.py`, which runs on the oldest and newest supported versions. Here are
configuration and runs; in `nodecompat` nodes, fixtures and asserts, in `ipycompat` IPython and ipykernel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import operator
import traceback
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nbxunit.kernel.compat import ahead
from nbxunit.kernel.compat.captured import CapturedFile, in_parts

if TYPE_CHECKING:
    import pytest


def prepare(args: Sequence[str], plugins: Sequence[object]) -> pytest.Config:
    """The first half of `pytest.main`: ini files, plugins and conftests are loaded.

    pytest has no public way to stop between the two halves, where the notebook is executed.
    """
    from _pytest.config import _prepareconfig

    with foreign_errors():
        config = ahead.taken(args, plugins)
        if config is None:
            return _prepareconfig(list(args), list(plugins))
        manager = config.pluginmanager
        try:
            for plugin in plugins:
                manager.register(plugin)
            parsed: pytest.Config = manager.hook.pytest_cmdline_parse(
                pluginmanager=manager, args=list(args)
            )
        except BaseException:
            unconfigure(config)
            raise
        return parsed


@contextlib.contextmanager
def imported_plugins(args: Sequence[str]) -> Iterator[pytest.Config]:
    """Import the plugins of others, and register none; in the block there is the configuration that did."""
    config = ahead.with_own_plugins(args)
    manager = config.pluginmanager
    manager.register = lambda plugin, name=None: None  # type: ignore[method-assign]  # noqa: ARG005
    try:
        manager.hook.pytest_cmdline_parse(pluginmanager=manager, args=list(args))
        yield config
    finally:
        unconfigure(config)


def prepare_from(
    options: Mapping[str, object],
    args: Sequence[str],
    words: Sequence[str] = (),
    made: Collection[str] = (),
) -> pytest.Config:
    """`prepare` with option values that another process resolved, without `addopts`.

    That is `Config.fromdictargs`, by which xdist's workers begin, with a first half that may have
    been made ahead. The options `made` cannot be sent: they are made again, of the other process's
    command line `words`.
    """
    with foreign_errors():
        config = ahead.taken(args) or ahead.with_own_plugins(args)
        config.option.__dict__.update(options, plugins=[])
        config.option.__dict__.pop("file_or_dir", None)  # argparse warns where it is there before
        config.parse(list(args), addopts=False)
        known = [name for name in made if hasattr(config.option, name)]
        if known:
            # Words of plugins that are not installed here mean nothing here.
            ours = config._parser.parse_known_args(list(words))  # noqa: SLF001
            for name in known:
                setattr(config.option, name, getattr(ours, name))
        return config


@contextlib.contextmanager
def foreign_errors() -> Iterator[None]:
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


_fixtures: dict[types.ModuleType, tuple[tuple[object, ...], list[dict[str, Any]]]] = {}
"""Of plugins that are modules: their values, and the fixtures that pytest found among them."""
_without_fixtures: set[type] = set()


@contextlib.contextmanager
def fixtures_looked_for_once() -> Iterator[None]:
    """Within, pytest looks for fixtures once in a plugin whose module does not change.

    At the begin of each run it looks at all names of forty modules, a third of a small run's time.
    Of plugins that are objects, those of pytest's own and our classes that have none are left out.
    """
    from _pytest.fixtures import FixtureManager

    real = FixtureManager.pytest_plugin_registered

    def pytest_plugin_registered(self: Any, plugin: object, plugin_name: str) -> None:
        # A conftest is imported anew for each run, and its fixtures are for its folder.
        is_module = isinstance(plugin, types.ModuleType) and not plugin_name.endswith("conftest.py")
        module: Any = plugin if is_module else None
        if type(plugin) in _without_fixtures:
            return
        if module in _fixtures and _is_same(_fixtures[module][0], vars(module)):
            for fixture in _fixtures[module][1]:
                self._register_fixture(**_for_session(fixture, None, self.session))
            return
        real_register, found = self._register_fixture, []

        def register(**fixture: Any) -> None:
            found.append(_for_session(fixture, self.session, None))
            real_register(**fixture)

        self._register_fixture = register
        try:
            real(self, plugin, plugin_name)
        finally:
            del self._register_fixture
        if module is not None:
            _fixtures[module] = tuple(vars(module).values()), found
        elif not found and type(plugin).__module__.startswith(("_pytest.", "nbxunit.")):
            _without_fixtures.add(type(plugin))

    FixtureManager.pytest_plugin_registered = pytest_plugin_registered  # type: ignore[method-assign]
    try:
        yield
    finally:
        FixtureManager.pytest_plugin_registered = real  # type: ignore[method-assign]


def _is_same(before: tuple[object, ...], now: Mapping[str, object]) -> bool:
    return len(before) == len(now) and all(map(operator.is_, before, now.values()))


def _for_session(fixture: dict[str, Any], old: object, new: object) -> dict[str, Any]:
    """What registers `fixture` for another session: pytest 9 names the session, as its node."""
    return {
        name: new if value is old and name == "node" else value for name, value in fixture.items()
    }


def finish(config: pytest.Config, session: pytest.Session | None = None) -> int:
    """The second half of `pytest.main`: configure, collect, run; pytest's exit status.

    With a `session` that has begun (see `sessions`), that is the one.
    """
    try:
        with _literal_arguments():
            if session is not None:
                _begin_with(config, session)
            return int(config.hook.pytest_cmdline_main(config=config))
    finally:
        unconfigure(config)


def _begin_with(config: pytest.Config, session: pytest.Session) -> None:
    """Let pytest's main use `session` where it would begin one; it does so in one piece with the run."""
    from _pytest import main

    make: Any = vars(main.Session)["from_config"]

    def from_config(*_: object) -> Any:
        main.Session.from_config = make  # type: ignore[method-assign]
        return session

    main.Session.from_config = classmethod(from_config)  # type: ignore[assignment, method-assign]
    private: Any = config
    private._do_configure = lambda: None  # noqa: SLF001
    start = private.hook.pytest_sessionstart

    def started(**_: object) -> None:
        private.hook.pytest_sessionstart = start

    private.hook.pytest_sessionstart = started


@contextlib.contextmanager
def _literal_arguments() -> Iterator[None]:
    """Within, the path of a notebook is just that: pytest takes its `::` or `[` for a test's name."""
    from _pytest import main

    module: Any = main
    resolve = module.resolve_collection_argument

    def literal(folder: Path, argument: str, *args: Any, **more: Any) -> Any:
        path = folder / argument
        if not path.is_file():
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
    encoded = module.EncodedFile

    def named(*, buffering: int) -> Any:
        name = next(names, None)  # a plugin captures for itself, too
        return CapturedFile(folder / name) if name else original(buffering=buffering)

    module.TemporaryFile = named
    module.EncodedFile = in_parts(encoded)
    try:
        yield
    finally:
        module.TemporaryFile, module.EncodedFile = original, encoded


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
