"""A notebook's file as its cells, and how tests name them: by tag, id or number.

Imports the standard library: the kernel's side does without nbformat.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

from nbxunit import lines, parameters, text_notebooks

__tracebackhide__ = True
"""What is wrong is in the test that names a cell; pytest shows no frame of this module."""

RAISES_TAG = "raises-exception"
OLDEST = 4
"""The oldest major version of the format that is read."""

CellName: TypeAlias = str | int
"""A tag or an id, or the number of a cell."""


class DocumentError(Exception):
    """A notebook that cannot be read, or a cell that it does not have; the message says what it has."""


@dataclasses.dataclass(frozen=True)
class CodeCell:
    """A code cell of a file: `number` is what reports call it, `position` its place among all cells.

    `first_line` is the line of a text notebook's file in which it begins, 0 in others.
    """

    number: int
    position: int
    id: str
    source: str
    tags: tuple[str, ...]
    first_line: int = 0

    def place(self, notebook: str) -> str:
        """How reports name it, as in `sales.ipynb cell 3` and `sales.md:17`."""
        if self.first_line:
            return f"{notebook}:{self.first_line}"
        return (
            f"{notebook} cell {self.number}" if self.number else f"{notebook} injected parameters"
        )


class Document:
    """A notebook as it stands in its file."""

    def __init__(self, path: Path) -> None:
        """Read it. DocumentError if it is not a notebook of format 4, nor text that jupytext reads."""
        self.path = path
        self._first_lines: Sequence[int] = ()
        try:
            text = path.read_text(encoding="utf-8-sig")
            if path.suffix in text_notebooks.SUFFIXES:
                self.content = text_notebooks.parse(text, path.suffix)
                self._first_lines = text_notebooks.first_lines(text, path.suffix, self.content)
                for cell in self.content["cells"]:
                    cell.pop("id", None)  # jupytext makes new ones each time
            else:
                self.content = json.loads(text)
            is_old = self.content["nbformat"] < OLDEST
            self.cells = () if is_old else tuple(self._code_cells(self.content["cells"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
            raise DocumentError(
                f"{path} is not a notebook that can be read: {type(exc).__name__}: {exc}"
            ) from exc
        if is_old:
            raise DocumentError(
                f"{path} is in nbformat {self.content['nbformat']}; "
                f"convert it with: jupyter nbconvert --to notebook --inplace {path.name}"
            )

    def with_parameters(self, values: Mapping[str, Any]) -> Self:
        """The notebook with a cell that gives these values to its parameters. ParameterError.

        The injected cell has the number 0 where it is new: those of the others stay as in the file.
        """
        if not values:
            return self
        cells = list(self.content["cells"])
        tags = [cell.get("metadata", {}).get("tags") or () for cell in cells]
        named = [
            cell
            for cell, of_cell in zip(cells, tags, strict=True)
            if parameters.PARAMETERS_TAG in of_cell
        ]
        parameters.check(values, "".join(named[0]["source"]) if named else None)
        at, replaces = parameters.place(tags)
        cells[at : at + replaces] = [
            {"cell_type": "code", "metadata": {"tags": [parameters.INJECTED_TAG]}, "outputs": [],
             "execution_count": None, "source": parameters.code(values)}
        ]  # fmt: skip
        changed = copy.copy(self)
        changed.content = {**self.content, "cells": cells}
        changed.cells = tuple(self._code_cells(cells, None if replaces else at))
        return changed

    def _code_cells(
        self, cells: Iterable[Mapping[str, Any]], injected: int | None = None
    ) -> Iterator[CodeCell]:
        """The cells that run, numbered as a run from top to bottom numbers them; the `injected` one is 0."""
        number = 0
        for position, cell in enumerate(cells):
            source = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
            if not lines.is_executed(cell, source):
                continue
            is_injected = position == injected
            number += not is_injected
            first_line = (
                self._first_lines[number - 1] if self._first_lines and not is_injected else 0
            )
            tags = tuple(map(str, cell.get("metadata", {}).get("tags") or ()))
            yield CodeCell(
                0 if is_injected else number, position, str(cell.get("id") or ""), source, tags,
                first_line,
            )  # fmt: skip

    def find(self, name: CellName) -> CodeCell:
        """The cell that is meant. DocumentError if there is none, or more than one."""
        found = [
            cell
            for cell in self.cells
            if (cell.number == name if isinstance(name, int) else name in (*cell.tags, cell.id))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = " and ".join(str(cell.number) for cell in found)
            raise DocumentError(
                f"{self.path.name}: {name!r} names the cells {numbers}; use their numbers or ids"
            )
        raise DocumentError(f"{self.path.name} has no cell {name!r}{self._instead(name)}")

    def select(
        self, names: Iterable[CellName], until: CellName | None, after: CellName | None
    ) -> list[CodeCell]:
        """The named cells, or those up to `until` and behind `after`. DocumentError as from `find`."""
        named = [self.find(name) for name in names]
        if named and (until is not None or after is not None):
            raise DocumentError("name the cells to run, or say until or after, and not both")
        first = self.find(after).number if after is not None else 0
        last = self.find(until).number if until is not None else len(self.cells)
        if first >= last and (until is not None or after is not None):
            raise DocumentError(
                f"{self.path.name}: there is no cell behind {after!r}"
                + (f" up to {until!r}" if until is not None else "")
            )
        return named or [cell for cell in self.cells if first < cell.number <= last]

    def _instead(self, name: CellName) -> str:
        if isinstance(name, int):
            return f"; its code cells are 1 to {len(self.cells)}"
        tags = sorted({tag for cell in self.cells for tag in cell.tags})
        near = difflib.get_close_matches(name, tags, 1)
        if near:
            return f"; did you mean {near[0]!r}?"
        return f"; its tags are: {', '.join(tags) or 'none'}; cells have numbers, too"
