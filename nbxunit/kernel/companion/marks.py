"""What `pytest.mark.notebook` says: which notebook, for how long, which cells at first.

May import pytest.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pytest

Scope = Literal["module", "class", "function"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class MarkError(Exception):
    """A mark that makes no sense; the message says what was expected."""


@dataclasses.dataclass(frozen=True)
class NotebookMark:
    """`pytest.mark.notebook(path, scope="module", execute=True, parameters=None)`."""

    path: Path
    scope: Scope = "module"
    execute: bool = True
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, mark: pytest.Mark, module: Path) -> NotebookMark:
        """What a mark in `module` says; its path is relative to that. MarkError."""
        try:
            given = inspect.signature(_mark).bind(*mark.args, **mark.kwargs)
        except TypeError as exc:
            raise MarkError(
                f'pytest.mark.notebook: {exc}; expected e.g. pytest.mark.notebook("../sales.ipynb")'
            ) from exc
        given.apply_defaults()
        path, scope, execute, parameters = given.arguments.values()
        if scope not in SCOPES:
            raise MarkError(f"pytest.mark.notebook: scope is {' or '.join(SCOPES)}, not {scope!r}")
        return cls(
            notebook_path(path, module), cast("Scope", scope), bool(execute), parameters or {}
        )

    def with_parameter(self, value: object, module: Path) -> NotebookMark:
        """The same with what an indirect parameter says: another notebook, or values for its names."""
        if isinstance(value, Mapping):
            return dataclasses.replace(self, parameters={**self.parameters, **value})
        return dataclasses.replace(self, path=notebook_path(value, module))


def _mark(
    path: str,
    scope: str = "module",
    *,
    execute: bool = True,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """The form of the mark."""


def notebook_path(path: object, module: Path) -> Path:
    """The notebook that `path` names, relative to the folder of `module`. MarkError if there is none."""
    if not isinstance(path, str | Path):
        raise MarkError(f"pytest.mark.notebook: the path of a notebook is a text, not {path!r}")
    found = Path(module.parent, path).resolve()
    if not found.is_file():
        beside = sorted(each.name for each in found.parent.glob("*.ipynb"))[:10]
        there = f"; there is: {', '.join(beside)}" if beside else ""
        raise MarkError(f"pytest.mark.notebook: {path} is not there ({found}){there}")
    return found
