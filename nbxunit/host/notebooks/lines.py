"""Where the lines of cells stand in the file of their notebook, as editors and code hosts count.

A notebook's JSON has a line for each line of a cell, as Jupyter writes it. In a text notebook cells stand as
they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbxunit.host.notebooks import files, text

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_SKIPPED = "skip-execution"


class FileLines:
    """The lines of one notebook's file. Of a file that is no notebook, all are the first."""

    def __init__(self, path: Path) -> None:
        self._cells: list[Sequence[int]] = []
        try:
            cells, lines = _of_text(path) if files.is_text(path) else _of_json(path)
        except (OSError, ValueError, LookupError, TypeError, files.NotebookError):
            return
        self._cells = [
            each for cell, each in zip(cells, lines, strict=False) if _is_executed(cell)
        ]

    @property
    def first_lines(self) -> list[int]:
        """The lines of the file in which the executed cells begin."""
        return [lines[0] if lines else 1 for lines in self._cells]

    def line(self, number: int, line: int) -> int:
        """The line of the file in which the line of the executed cell with this number is."""
        if not 0 < number <= len(self._cells) or not self._cells[number - 1]:
            return 1
        lines = self._cells[number - 1]
        return lines[min(max(line, 1), len(lines)) - 1]


def _is_executed(cell: Any) -> bool:
    source = "".join(cell.get("source", ()))
    tags = cell.get("metadata", {}).get("tags", ())
    return bool(cell["cell_type"] == "code" and source.strip() and _SKIPPED not in tags)


def _of_text(path: Path) -> tuple[Sequence[Any], Sequence[Sequence[int]]]:
    cells = [cell for cell in files.read(path).cells if cell.cell_type == "code"]
    first = text.first_lines(
        files.text_of(path), path.suffix, [cell.source for cell in cells]
    )
    ends = (line + cell.source.count("\n") + 1 for line, cell in zip(first, cells, strict=True))
    return cells, list(map(range, first, ends))


def _of_json(path: Path) -> tuple[Sequence[Any], Sequence[Sequence[int]]]:
    content = files.text_of(path)
    return json.loads(content)["cells"], [list(each) for each in _lines(content)]


def _lines(content: str) -> Iterator[Iterator[int]]:
    """For each cell, the lines of the file in which its lines begin."""
    keys: list[str] = []  # of the objects that are open; of a list, nothing
    found: list[list[tuple[int, str]]] = []
    word, is_key = "", False
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token in "{[":
            keys.append(word if is_key else "")
            if token == "{" and keys[:2] == ["", "cells"] and len(keys) == 3:  # noqa: PLR2004
                found.append([])
        elif token in "}]":
            keys.pop()
        elif token[0] == '"' and _is_source(keys, word if is_key else ""):
            number = content.count("\n", 0, match.start()) + 1
            found[-1].append((number, json.loads(token)))
        if token == ":":
            is_key = True
        else:
            word, is_key = token.strip('"'), False
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
