"""pytest's reports as plain data, with places in cells in place of the files of their code.

May import pytest. Both the wire and the inline results are made from this form.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from json import dumps  # user code may replace it in its module
from typing import TYPE_CHECKING, Any

from nbxunit import protocol
from nbxunit.kernel import fixtures
from nbxunit.kernel.notebook import last_part

if TYPE_CHECKING:
    import pytest

    from nbxunit.kernel.notebook import Notebook

_OURS = re.compile(rf"{fixtures.PREFIX}[^,\n]*(?:, )?")
"""Fixtures of ours in pytest's list of those that there are."""
SECTION_LIMIT = 1_000_000
"""Characters of one captured section that a report carries; the rest is cut and marked."""
REPORT_LIMIT = 4_000_000
"""Characters of all texts that a report carries."""
RUN_LIMIT = 30_000_000
"""Characters of the texts of all reports, which reporters keep to the end of a session."""
LATE_LIMIT = 10_000
"""Characters that a report carries when those before it have used up the room of the run."""


class Serialiser:
    """Makes plain data of the reports of one run."""

    def __init__(self, notebook: Notebook, config: pytest.Config) -> None:
        self._notebook = notebook
        self._config = config
        self._path = _relative(notebook, config)
        # Files of cells have a folder or prefix in common, which rules most texts out at once.
        self._hint = _common_part(notebook.cell_files)
        names = sorted(map(last_part, notebook.cell_files), key=len, reverse=True)
        self._name = re.compile(rf"({'|'.join(map(re.escape, names))})(?::(\d+))?")
        self._left = RUN_LIMIT

    def report(self, report: pytest.TestReport | pytest.CollectReport) -> dict[str, Any]:
        """`report` as `pytest_report_to_serializable` makes it, its places mapped."""
        if report.when == "call":
            # pytest 9 marks the parent of failed subtests in this hook, which a terminal calls.
            self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        mapped: dict[str, Any] = dict(data)
        bound = _Bound(max(LATE_LIMIT, min(REPORT_LIMIT, self._left)))
        mapped["longrepr"] = bound.of(self.mapped(data.get("longrepr")))
        mapped["sections"] = [
            (name, bound.of(self._text(text))) for name, text in data.get("sections", [])
        ]
        if "user_properties" in data:
            properties = [tuple(map(_plain, each)) for each in data["user_properties"]]
            mapped["user_properties"] = bound.of(properties)
        if mapped.get("location"):
            mapped["location"] = self.location(data["location"])
        self._left -= bound.used
        return mapped

    def location(self, location: tuple[str, int | None, str]) -> tuple[str, int | None, str]:
        """A test's location, with the notebook as its file."""
        file, line, name = location
        return (self._path if self._notebook.cell_of_file(file) else file, line, name)

    def mapped(self, value: Any) -> Any:
        """`value` with the names of cell files replaced, in all strings inside it."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {key: self.mapped(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.mapped(item) for item in value)
        return value

    def _text(self, text: str) -> str:
        if fixtures.PREFIX in text:
            text = _OURS.sub("", text)
        if not self._hint or self._hint not in text:
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
        place = f"{self._path} {cell.label}"
        return f"{place}, line {line}" if line else place


def _plain(value: Any) -> Any:
    """A property as it is, or as text where JSON has no form for it, which is what JUnit makes of it."""
    if isinstance(value, str):
        return value
    try:
        dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        try:
            return str(value)
        except Exception:  # noqa: BLE001 - the user's own code
            return object.__repr__(value)
    return value


def _common_part(files: Iterable[str]) -> str:
    """What every path to one of `files`, absolute or relative, contains."""
    common = os.path.commonprefix(list(files))  # noqa: RUF071 - characters are meant
    return re.split(r"[/\\]", common.rstrip("/\\0123456789"))[-1] if common else ""


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


class _Bound:
    """Cuts the texts of one report where they are too long, and the later ones if there is no room."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.used = 0

    def of(self, value: Any) -> Any:
        """`value` with the strings inside it cut and marked."""
        if isinstance(value, str):
            text = protocol.shortened(value, min(SECTION_LIMIT, self._left)) if self._left else ""
            self._left = max(0, self._left - len(text))
            self.used += len(text)
            return text
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        return tuple(map(self.of, value)) if isinstance(value, tuple) else value
