"""A notebook in coverage's reports: what can run in its cells, and how it is shown.

Imports coverage, whose own parser reads the cells as a module.
"""

from __future__ import annotations

import ast
import itertools
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from coverage.parser import PythonParser
from coverage.phystokens import source_token_lines
from coverage.python import PythonFileReporter
from coverage.regions import code_regions

from nbxunit import directives
from nbxunit.coverage.module_text import ModuleText, first_line

if TYPE_CHECKING:
    from coverage.plugin import CodeRegion
    from coverage.types import TArc, TLineNo

_LINE = re.compile(r"\bline (\d+)")


class NotebookReporter(PythonFileReporter):
    """A notebook in reports: one file of its code cells, with a heading above each."""

    def __init__(self, filename: str, excluded: str = "", partial: str = "") -> None:
        super().__init__(filename)
        self.module = ModuleText(Path(filename))
        self._excluded = excluded
        self._partial = partial
        self._next = dict(self._following())

    def _following(self) -> Iterator[tuple[int, int]]:
        """For lines of ordinary cells, where the next statement of the cell begins: each is code of its own."""
        functions = {node.lineno: node for node in ast.parse(self.module.text).body}
        for heading in self.module.ordinary:
            statements = getattr(functions.get(heading), "body", [])
            for node, after in itertools.pairwise(statements):
                for line in range(first_line(node), node.end_lineno + 1):
                    yield line, first_line(after)

    @property
    def parser(self) -> PythonParser:
        """What coverage finds in the module."""
        if self._parser is None:
            self._parser = PythonParser(self.module.text, self.filename, self._excluded or None)
            self._parser.parse_source()
        return self._parser

    def source(self) -> str:
        """The cells, each line where it is in the file."""
        return "\n".join(self.module.shown) + "\n"

    def lines(self) -> set[TLineNo]:
        """The statements; a heading is none."""
        return super().lines() - self.module.ordinary

    def arcs(self) -> set[TArc]:
        """The jumps inside of cells."""
        return {arc for arc in super().arcs() if arc[0] not in self.module.ordinary}

    def exit_counts(self) -> dict[TLineNo, int]:
        """How many jumps there are from each line."""
        counts = super().exit_counts().items()
        return {line: count for line, count in counts if line not in self.module.ordinary}

    def translate_arcs(self, arcs: Iterable[TArc]) -> set[TArc]:
        """The jumps as those of the module; what leaves a statement goes to the next one of its cell."""
        left = {-heading for heading in self.module.ordinary}
        return super().translate_arcs(
            (start, self._next.get(start, end) if end in left else end) for start, end in arcs
        )

    def no_branch_lines(self) -> set[TLineNo]:
        """The lines that a comment excuses."""
        return self.parser.lines_matching(self._partial) if self._partial else set()

    def missing_arc_description(
        self, start: TLineNo, end: TLineNo, executed_arcs: Iterable[TArc] | None = None
    ) -> str:
        """What did not happen, with cells and their lines."""
        return _LINE.sub(self._placed, super().missing_arc_description(start, end, executed_arcs))

    def _placed(self, match: re.Match[str]) -> str:
        cell, line = self.module.places.get(int(match[1]), (0, 0))
        return f"{match[0]} (cell {cell}, line {line})" if cell else match[0]

    def source_token_lines(self) -> Iterator[list[tuple[str, str]]]:
        """The lines in colours, each with its cell and its line there in front."""
        colours = dict(self._coloured())
        for number, text in enumerate(self.module.shown, 1):
            cell, line = self.module.places.get(number, (0, 0))
            place = [("com", f"{f'[{cell}] {line}':<9}")] if cell else []
            yield place + colours.get(number, [("com", text)] if text else [])

    def _coloured(self) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """The lines of cells in colours, as far as they are Python."""
        for cell in self.module.cells:
            source = directives.lines_of(cell.source)
            changed = [
                a if a == b else "" for a, b in zip(source, self.module.python(cell), strict=True)
            ]
            try:
                coloured = list(source_token_lines("\n".join(changed) + "\n"))
            except (tokenize.TokenError, SyntaxError):
                coloured = []
            pairs = itertools.zip_longest(source, coloured[: len(source)])
            for place, (text, tokens) in zip(cell.lines, pairs, strict=False):
                yield place, tokens or [("txt", text)]

    def code_regions(self) -> Iterable[CodeRegion]:
        """The functions and classes of cells; each cell is a function, too."""
        return code_regions(self.module.text)
