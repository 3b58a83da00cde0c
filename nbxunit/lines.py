"""Where the lines of cells stand in the file of their notebook, as editors and code hosts count.

Imports the standard library only. A notebook's JSON has a line for each line of a cell, as Jupyter writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_SKIPPED = "skip-execution"


class FileLines:
    """The lines of one notebook's file. Of a file that is no notebook, all are the first."""

    def __init__(self, path: Path) -> None:
        self._cells: list[list[int]] = []
        try:
            if not path.is_file():  # a pipe would be waited for
                return
            text = path.read_text("utf-8")
            cells = json.loads(text)["cells"]
            lines = [list(each) for each in _lines(text)]
        except (OSError, ValueError, LookupError, TypeError):
            return
        self._cells = [each for cell, each in zip(cells, lines, strict=False) if _is_executed(cell)]

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
