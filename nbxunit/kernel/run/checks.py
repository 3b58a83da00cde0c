"""Cells that make no sense, or not the sense that they seem to: what is wrong with them.

May import pytest.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook


def refused_cells(notebook: Notebook) -> Iterator[str]:
    """Headless, what a cell could not declare is lost; inline a person has seen it refused."""
    if notebook.headless:
        for key, message in notebook.registry.refused.items():
            yield f"{notebook.registry.cells[key].label}: {message}"


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
