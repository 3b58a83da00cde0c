"""Notebook files as the kinds of findings see them: cells, what they declare, and their code as a tree."""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from nbxunit import directives
from nbxunit.check.findings import Finding, Severity
from nbxunit.directives import Directive, DirectiveError, Kind
from nbxunit.lines import FileLines, is_executed

_MAGIC = re.compile(r"(?P<indent>[ \t]*)(?:%(?!%)|!|\?|/\w)|.*[^\s#]\?{1,2}[ \t]*$")
_ASSIGNED = re.compile(r"(?P<target>[ \t]*[\w., \t*\[\]]+=[ \t]*)(?:!|%\w)")
_TRANSPARENT = re.compile(r"%%(?:capture|prun|time|timeit|xunit_\w+)\b")
"""Cell magics whose body is Python of the notebook."""


class ReadingError(Exception):
    """A file that is no notebook; the message says why."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell that is executed, with its number."""

    number: int
    source: str

    @functools.cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return directives.lines_of(self.source)

    @functools.cached_property
    def declared(self) -> tuple[Kind, str, int] | None:
        """The kind, the rest and the index of the line that declares a hook or test, if one does."""
        return directives.find(self.source)

    @property
    def first_line(self) -> int:
        """The number of the line that declares, else 1."""
        return self.declared[2] + 1 if self.declared else 1

    @functools.cached_property
    def directive(self) -> Directive | None:
        """The hook or test that it declares, if that makes sense."""
        if self.declared is None:
            return None
        try:
            return directives.parse(self.declared[0], self.declared[1])
        except DirectiveError:
            return None

    @functools.cached_property
    def tree(self) -> ast.Module | None:
        """Its code, of a hook or test the body, without IPython's own syntax; None where that is not Python."""
        first = self.declared[2] + 1 if self.declared else 0
        body = self.lines[first:]
        start = directives.first(body)
        if start is not None and body[start].startswith("%%"):
            if not _TRANSPARENT.match(body[start]):
                return None
            body[start] = "pass"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse("\n" * first + "\n".join(map(_as_python, body)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _as_python(line: str) -> str:
    """A line in which a magic or a command of the shell does nothing."""
    match = _ASSIGNED.match(line)
    if match:
        return f"{match['target']}None"
    match = _MAGIC.match(line)
    return f"{match['indent'] or ''}pass" if match else line


class Notebook:
    """The cells of the notebook at `path`; `find_line` tells the file's line of a cell's number and line."""

    def __init__(
        self, path: str, cells: Sequence[Cell], find_line: Callable[[int, int], int]
    ) -> None:
        self.path = path
        self.cells = cells
        self._find_line = find_line

    @functools.cached_property
    def declaring(self) -> list[tuple[Cell, Directive]]:
        """The cells that declare hooks and tests, and what."""
        return [(cell, cell.directive) for cell in self.cells if cell.directive is not None]

    @functools.cached_property
    def ordinary(self) -> list[Cell]:
        """The cells that declare nothing by a line."""
        return [cell for cell in self.cells if cell.declared is None]

    @property
    def may_test(self) -> bool:
        """Whether there is anything that could be a hook or test."""
        return any("xunit" in cell.source or "est" in cell.source for cell in self.cells)

    def finding(
        self, rule: str, cell: Cell, line: int, message: str, severity: Severity = "error"
    ) -> Finding:
        """A finding at a line of a cell."""
        place = self._find_line(cell.number, line)
        return Finding(rule, self.path, cell.number, line, place, message, severity)


def read(path: Path, shown: str) -> Notebook | None:
    """The notebook in `path`, which findings call `shown`; None if it is in another language. ReadingError."""
    try:
        content = json.loads(path.read_bytes())
        metadata = content.get("metadata") or {}
        spec, info = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
        language = spec.get("language") or info.get("name") or "python"
        code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        cells = [(cell, "".join(cell["source"])) for cell in code]
        sources = [source for cell, source in cells if is_executed(cell, source)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise ReadingError(f"it is not a notebook: {type(exc).__name__}: {exc}") from exc
    if str(language).lower() not in ("python", "ipython"):
        return None
    return Notebook(
        shown,
        [Cell(number, source) for number, source in enumerate(sources, 1)],
        lambda number, line: _file_lines(path).line(number, line),
    )


@functools.cache
def _file_lines(path: Path) -> FileLines:
    return FileLines(path)
