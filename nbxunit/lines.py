"""Where the lines of cells stand in the file of their notebook, as editors and code hosts count.

Imports the standard library only. A notebook's JSON has a line for each line of a cell, as Jupyter writes it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
SKIP_TAG = "skip-execution"


@dataclasses.dataclass(frozen=True)
class FileCell:
    """A cell that is executed, with the number that a person sees; `lines` are those of the file."""

    number: int
    source: str
    lines: tuple[int, ...]


class FileLines:
    """The lines of one notebook's file. Of a file that is no notebook, all are the first."""

    def __init__(self, path: Path) -> None:
        self.cells: list[FileCell] = []
        try:
            if not path.is_file():  # a pipe would be waited for
                return
            text = path.read_text("utf-8")
            content = json.loads(text)
            cells = zip(content["cells"] * _is_python(content), _lines(text), strict=False)
            executed = [
                (cell, tuple(lines))
                for cell, lines in cells
                if is_executed(cell, "".join(cell.get("source", ())))
            ]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return
        self.cells = [
            FileCell(number, "".join(cell["source"]), lines)
            for number, (cell, lines) in enumerate(executed, 1)
        ]

    def line(self, number: int, line: int) -> int:
        """The line of the file in which the line of the executed cell with this number is."""
        if not 0 < number <= len(self.cells) or not self.cells[number - 1].lines:
            return 1
        lines = self.cells[number - 1].lines
        return lines[min(max(line, 1), len(lines)) - 1]


def _is_python(content: Any) -> bool:
    """Whether a notebook does not say that it is in another language."""
    metadata = content.get("metadata", {})
    spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    return "python" in str(spec.get("language") or info.get("name") or "python").lower()


def distinct(path: Path) -> list[FileCell]:
    """The executed cells of a notebook, each line with one of its own, and one above for a heading.

    They are those of the file; where its JSON has not as many, lines are counted from cell to cell.
    """
    cells, last = FileLines(path).cells, 0
    for cell in cells:
        expected = [last + 1, *cell.lines]
        if any(line <= before for before, line in itertools.pairwise(expected)):
            return list(_counted(cells))
        last = expected[-1]
    return cells


def _counted(cells: list[FileCell]) -> Iterator[FileCell]:
    last = 0
    for cell in cells:
        first = last + 2
        last = first + len(cell.lines) - 1
        yield dataclasses.replace(cell, lines=tuple(range(first, last + 1)))


def is_executed(cell: Any, source: str) -> bool:
    """Whether a run executes a cell of a notebook's JSON that has this source, and counts it."""
    tags = (cell.get("metadata") or {}).get("tags") or ()
    return bool(cell["cell_type"] == "code" and source.strip() and SKIP_TAG not in tags)


def _lines(text: str) -> Iterator[Iterator[int]]:
    """For each cell, the lines of the file in which its lines begin."""
    keys: list[str] = []  # of the objects that are open; of a list, nothing
    found: list[list[tuple[int, str]]] = []
    word, is_key = "", False
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part in "{[":
            keys.append(word if is_key else "")
            if part == "{" and keys[:2] == ["", "cells"] and len(keys) == 3:  # noqa: PLR2004
                found.append([])
        elif part in "}]":
            keys.pop()
        elif part[0] == '"' and _is_source(keys, word if is_key else ""):
            number = text.count("\n", 0, match.start()) + 1
            found[-1].append((number, json.loads(part)))
        if part == ":":
            is_key = True
        else:
            word, is_key = part.strip('"'), False
    return (_each(strings) for strings in found)


def _is_source(keys: list[str], key: str) -> bool:
    """Whether a string is a source, or one of its lines."""
    if keys[:2] != ["", "cells"]:
        return False
    in_list = len(keys) == 4 and keys[3] == "source"  # noqa: PLR2004
    return in_list or (len(keys) == 3 and key == "source")  # noqa: PLR2004


def _each(strings: list[tuple[int, str]]) -> Iterator[int]:
    """The line of the file for each line in these strings."""
    for number, string in strings:
        yield from [number] * max(1, string.count("\n") + (not string.endswith("\n")))
