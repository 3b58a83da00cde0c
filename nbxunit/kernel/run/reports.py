"""pytest's reports as plain data, with places in cells in place of the files of their code.

May import pytest. Both the wire and the inline results are made from this form.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nbxunit.kernel.cells.notebook import last_part
from nbxunit.kernel.lifecycle import fixtures
from nbxunit.limits import Room
from nbxunit.originals import dumps

if TYPE_CHECKING:
    import pytest

    from nbxunit.kernel.cells.notebook import Notebook

_OURS = re.compile(rf"{fixtures.PREFIX}[^,\n'\"]*(?:, )?")
"""Fixtures of ours in pytest's list of those that there are."""
PROPERTY_LIMIT = 10_000
"""Characters of the JSON of a property that is no text; a longer one is sent as text."""
PROPERTY_DEPTH = 50
"""Lists and dicts in each other of such a property."""


class Serialiser:
    """Makes plain data of the reports of one run."""

    def __init__(self, notebook: Notebook, config: pytest.Config) -> None:
        self._notebook = notebook
        self._config = config
        self._path = _relative(notebook, config)
        self._known = 0
        self._hint = ""
        self._name = re.compile("")
        self._room = Room()

    def _know_cells(self) -> None:
        """Take up the cells that have run since: a companion's run while tests do."""
        files = self._notebook.cell_files
        if self._known != len(files):
            self._known = len(files)
            # Files of cells have a folder or prefix in common, which rules most texts out at once.
            self._hint = _common_part(files)
            names = sorted(map(last_part, files), key=len, reverse=True)
            self._name = re.compile(rf"({'|'.join(map(re.escape, names))})(?::(\d+))?")

    def report(self, report: pytest.TestReport | pytest.CollectReport) -> dict[str, Any]:
        """`report` as `pytest_report_to_serializable` makes it, its places mapped."""
        if report.when == "call":
            # pytest 9 marks the parent of failed subtests in this hook, which a terminal calls.
            self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        # First of all: it has the first share of what may be carried.
        mapped: dict[str, Any] = {"longrepr": self.mapped(data.get("longrepr"))}
        mapped |= {name: value for name, value in data.items() if name != "longrepr"}
        mapped["sections"] = [(name, self._text(text)) for name, text in data.get("sections", [])]
        if "user_properties" in data:
            mapped["user_properties"] = [
                tuple(map(_plain, each)) for each in data["user_properties"]
            ]
        if mapped.get("location"):
            mapped["location"] = self.location(data["location"])
        return self._room.report(mapped)

    def bounded(self, data: dict[str, Any]) -> dict[str, Any]:
        """Fields of a report that name no places, cut to what may be carried."""
        bounded: dict[str, Any] = self._room.mostly_short(data)
        return bounded

    def location(self, location: tuple[str, int | None, str]) -> tuple[str, int | None, str]:
        """A test's location, with the notebook as its file."""
        file, line, name = location
        cell = self._notebook.cell_of_file(file)
        if cell is None:
            return location
        above = self._notebook.line_above(cell) or 0
        return (self._path, None if line is None else line + above, name)

    def cell_place(self, location: tuple[str, int | None, str]) -> tuple[int, int]:
        """The number of a test's cell and its line there; 0 and its line in the file where it has no cell."""
        cell, line = self._notebook.cell_of_file(location[0]), (location[1] or 0) + 1
        above = self._notebook.line_above(cell) if cell is not None else 0
        return (
            (cell.number, line) if cell is not None and above is None else (0, line + (above or 0))
        )

    def mapped(self, value: Any) -> Any:
        """`value` with the names of cell files replaced, in all strings inside it."""
        if isinstance(value, str):
            return self._text(value)
        value = self._in_file(value)
        if isinstance(value, dict):
            return {key: self.mapped(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.mapped(item) for item in value)
        return value

    def _in_file(self, value: Any) -> Any:
        """A place in a cell of a text notebook with the line of the file: `path` and `lineno`, or a skip's."""
        if isinstance(value, dict) and isinstance(value.get("lineno"), int):
            file, number = value.get("path"), value["lineno"]
        elif isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], int):  # noqa: PLR2004
            file, number = value[:2]
        else:
            return value
        cell = self._notebook.cell_of_file(file) if isinstance(file, str) else None
        above = self._notebook.line_above(cell) if cell is not None else None
        if cell is None or above is None:
            return value
        path, number = cell.notebook or self._path, number + above
        if isinstance(value, dict):
            return value | {"path": path, "lineno": number}
        return (path, number, value[2])

    def place(self, file: str, line: int) -> tuple[str, int]:
        """A line of code, with the notebook's cell, or file, in the place of the file of the cell's code."""
        mapped = self.mapped({"path": file, "lineno": line})
        return mapped["path"], mapped["lineno"]

    def _text(self, text: str) -> str:
        if fixtures.PREFIX in text:
            text = _OURS.sub("", text)
        self._know_cells()
        if not self._known or self._hint not in text:
            return text
        parts, at = [], 0
        for match in self._name.finditer(text):
            start = _start_of_path(text, at, match.start())
            parts += [text[at:start], self._place(match[1], match[2])]
            at = match.end()
        return "".join([*parts, text[at:]])

    def _place(self, name: str, line: str | None) -> str:
        cell = self._notebook.cell_of_file(name)
        assert cell is not None
        above, path = self._notebook.line_above(cell), cell.notebook or self._path
        if above is not None:
            return f"{path}:{above + int(line or 1)}"
        place = f"{path} {cell.label}"
        return f"{place}, line {line}" if line else place


def _plain(value: Any) -> Any:
    """A property as it is, or as text, as JUnit writes it, where JSON has no form for it or a long one."""
    if isinstance(value, str):
        return value
    try:
        if len(dumps(value, allow_nan=False)) <= PROPERTY_LIMIT and _is_flat(value):
            return value
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the user's own code
        return object.__repr__(value)


def _is_flat(value: Any, depth: int = PROPERTY_DEPTH) -> bool:
    """Whether reading it takes no more than so many calls in each other."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list, tuple)):
        return True
    return depth > 0 and all(_is_flat(item, depth - 1) for item in inside)


def _common_part(files: Collection[str]) -> str:
    """What every path to one of `files`, absolute or relative, contains."""
    # What the first and the last in order have in common, all have.
    ends = zip(min(files, default=""), max(files, default=""), strict=False)
    common = "".join(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], ends))
    return last_part(common.rstrip("/\\0123456789"))


def _start_of_path(text: str, first: int, name: int) -> int:
    """Where the path begins that ends in a file name at `name`."""
    start = name
    while start > first and not text[start - 1].isspace() and text[start - 1] not in "\"'(":
        start -= 1
    return start


def _relative(notebook: Notebook, config: pytest.Config) -> str:
    try:
        return notebook.path.relative_to(config.rootpath).as_posix()
    except ValueError:
        return notebook.path.as_posix()
