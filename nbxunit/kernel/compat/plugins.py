"""Private names of pytest about plugins, options and ini files: a part of `compat`.

May import pytest. `tests/kernel/compat/test_plugins.py` runs each on the oldest and newest versions.
"""

from __future__ import annotations

import contextlib
import importlib
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from nbxunit.kernel.compat.config import foreign_errors

if TYPE_CHECKING:
    import pytest


def ini_values(folder: Path) -> dict[str, list[str]]:
    """The ini file's values for a notebook in `folder`, as words; {} where it cannot be read.

    pytest has no public way to read it without loading plugins and conftests.
    """
    import shlex

    import pytest
    from _pytest.config import findpaths

    try:
        ini: Mapping[str, Any] = findpaths.locate_config(folder, [folder])[2]
    except (OSError, pytest.UsageError):
        return {}
    values = {name: getattr(each, "value", each) for name, each in ini.items()}  # pytest 9
    return {
        name: shlex.split(each) if isinstance(each, str) else [*map(str, each)]
        for name, each in values.items()
        if isinstance(each, str | list)
    }


@contextlib.contextmanager
def quiet_rewriting() -> Iterator[None]:
    """Within, pytest does not warn of plugins that were imported before it could rewrite them.

    In a live kernel that is so for all of them, from the second run on.
    """
    from _pytest.assertion.rewrite import AssertionRewritingHook

    hook: Any = AssertionRewritingHook
    real = hook._warn_already_imported  # noqa: SLF001
    hook._warn_already_imported = lambda _self, _name: None  # noqa: SLF001
    try:
        yield
    finally:
        hook._warn_already_imported = real  # noqa: SLF001


@contextlib.contextmanager
def own_conftests(folder: Path) -> Iterator[None]:
    """Within, conftests of `folder` and above it are loaded, and none of a folder in it.

    pytest looks into those whose names begin with `test` where it is given a folder, which it is where
    the notebook's file is not known.
    """
    from _pytest.config import PytestPluginManager

    manager: Any = PytestPluginManager
    real = manager._loadconftestmodules  # noqa: SLF001

    def load(self: Any, path: Path, *args: Any, **more: Any) -> None:
        if not (folder in path.parents and path.is_dir()):
            real(self, path, *args, **more)

    manager._loadconftestmodules = load  # noqa: SLF001
    try:
        yield
    finally:
        manager._loadconftestmodules = real  # noqa: SLF001


def options_named(config: pytest.Config, words: Sequence[str]) -> dict[str, str]:
    """The options among `words`, by the names of their values: pytest has no public way to tell."""
    actions = config._parser.optparser._option_string_actions  # noqa: SLF001
    found = {}
    for word in words:
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        if name in actions and word.startswith("-"):
            found[actions[name].dest] = name
    return found


class Silenced:
    """A plugin that gives options these values before other plugins act on them, at their loading."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @pluggy.HookimplMarker("pytest")(wrapper=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Iterator[None]:
        """Plugins such as pytest-cov begin here; a wrapper comes before all of them."""
        known = vars(early_config.known_args_namespace)
        known.update({name: value for name, value in self._values.items() if name in known})
        return (yield)


def import_plugins_of(session: pytest.Session, module: types.ModuleType) -> Iterator[str]:
    """Load what `pytest_plugins` of a module names, as pytest does for one that it imports.

    First come the names of those that have hooks which were called before. UsageError for one that
    cannot be imported.
    """
    from _pytest.config import builtin_plugins

    manager = session.config.pluginmanager
    before = set(manager.get_plugins())
    named = getattr(module, "pytest_plugins", ())
    with foreign_errors(), quiet_rewriting():
        for name in [named] if isinstance(named, str) else named:
            if name in builtin_plugins:
                continue
            manager.rewrite_hook.mark_rewrite(name)
            plugin = importlib.import_module(name)
            if plugin not in before and any(hasattr(plugin, hook) for hook in _EARLY):
                yield name
        manager.consider_module(module)
    manager.subset_hook_caller("pytest_sessionstart", before)(session=session)


_EARLY = (
    "pytest_addoption", "pytest_addhooks", "pytest_cmdline_parse", "pytest_load_initial_conftests",
)  # fmt: skip
"""Hooks that pytest calls before it imports a module."""
