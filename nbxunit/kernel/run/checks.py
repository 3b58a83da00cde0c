"""Cells that make no sense, or not the sense that they seem to: what is wrong with them.

May import pytest.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from nbxunit.kernel.compat import plugins

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.cells.registry import Declaration


def refused_cells(notebook: Notebook) -> Iterator[str]:
    """Headless, what a cell could not declare is lost; inline a person has seen it refused."""
    if notebook.headless:
        for key, message in notebook.registry.refused.items():
            yield f"{notebook.registry.cells[key].label}: {message}"


def plugins_of_cells(notebook: Notebook, session: pytest.Session) -> Iterator[str]:
    """What is wrong with the plugins that `pytest_plugins` of a cell names; the others are loaded."""
    try:
        for name in plugins.import_plugins_of(session, notebook.shell.user_module):
            yield (
                f"pytest_plugins: {name} has hooks that pytest calls before the cells run; name it in "
                "the conftest.py of the notebook's folder, or by the option -p"
            )
            return
    except pytest.UsageError as exc:
        yield f"pytest_plugins: {exc}"


def lost_tests(notebook: Notebook) -> Iterator[str]:
    """Tests that were swept away, as %%ipytest does, before another cell took their name."""
    for name, lost, cell in notebook.registry.lost():
        yield (
            f"{name} of {lost.label} was deleted before {cell.label} defined another {name}, so only "
            "one of them can run; give one of them another name (%%ipytest deletes the tests of the "
            "cells above; nbxunit runs them all)"
        )


def doubts(notebook: Notebook, tests: Iterable[Declaration] | None) -> Iterator[str]:
    """Warn as Python does of what cannot be meant, in all cells or in those of `tests`.

    Where a warning is an error, it is one of the cell.
    """
    keys = {test.cell.key for test in tests} if tests is not None else None
    for cell, doubt in notebook.registry.doubts():
        if keys is None or cell.key in keys:
            warning = pytest.PytestAssertRewriteWarning(doubt.message)
            try:
                warnings.warn_explicit(warning, None, doubt.filename, doubt.line)
            except pytest.PytestAssertRewriteWarning as exc:
                yield f"{cell.label}, line {doubt.line}: {type(exc).__name__}: {exc}"


def async_hooks(owner: object, label: str, names: Iterable[str]) -> Iterator[str]:
    """Python hooks that are `async def`: neither pytest nor unittest would await them."""
    for name in names:
        hook = getattr(owner, name, None)
        if inspect.iscoroutinefunction(hook):
            yield f"{label}: {name} is async def, and nothing would await it; use a hook cell or a fixture"


def warn_of_redefinitions(notebook: Notebook, names: Iterable[str]) -> None:
    """Of tests with one name the last one runs, as in a module."""
    for name in dict.fromkeys(names):
        cells = notebook.registry.definers(name)
        if len(cells) > 1:
            places = " and ".join(cell.label for cell in cells)
            _warn(f"{name} is defined in {places}; the last one runs", cells[-1].filename)


def warn_of_replaced(notebook: Notebook, is_test: Callable[[str], bool]) -> None:
    """A test that a later cell has deleted, or replaced by something else, does not run."""
    for name in filter(is_test, notebook.registry.defined_names()):
        if not callable(notebook.namespace.get(name)):
            cell = notebook.registry.definers(name)[-1]
            _warn(
                f"{name} of {cell.label} was deleted or replaced, and does not run", cell.filename
            )


def _warn(message: str, filename: str) -> None:
    warnings.warn_explicit(pytest.PytestCollectionWarning(message), None, filename, lineno=1)
