"""The code cells of a notebook as the text of one module, each line at its line of the notebook's file.

Shared by what reads it; IPython is imported for its syntax. Each cell is a function of the module: it is
code of its own, from which nothing jumps to the next cell, and it may await and return.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbxunit import directives, lines, text_notebooks
from nbxunit.directives import Kind
from nbxunit.lines import FileCell

_IMPORTED = re.compile(r"^(\s*from\s+\S+\s+import\s*)\*", re.MULTILINE)
_RUNS_PYTHON = re.compile(r"%%(time|capture|prun)\b")
"""Magics that run the Python below them, each line as one of the cell."""
_LAZY = re.compile(r"^(\s*)lazy\s+(?=(?:from|import)\s)", re.MULTILINE)
_FUTURE = re.compile(r"^(\s*from\s+)__(?=future__\s)", re.MULTILINE)


class ModuleText:
    """The module of the notebook at `path`.

    `text` is Python, `shown` what a person reads, line by line: of a text notebook all of the file, else
    the cells below headings. `places` tell of lines their cell's number and their number there, where those
    of the file say nothing. `ordinary` are the headings of cells that are no hook and no test, where their
    functions begin.
    """

    def __init__(self, path: Path) -> None:
        is_text = path.suffix in text_notebooks.SUFFIXES
        self.cells = text_notebooks.file_cells(path) if is_text else lines.distinct(path)
        self.ordinary: set[int] = set()
        self._python: dict[int, list[str]] = {}
        module = [""] * max((cell.lines[-1] for cell in self.cells), default=0)
        for cell in self.cells:
            for place, text in self._function(cell):
                module[place - 1] = text
        self.text = "\n".join(module) + "\n"
        self.places: dict[int, tuple[int, int]] = {}
        if is_text:
            self.shown = directives.lines_of(path.read_text("utf-8")) if self.cells else []
        else:
            self.shown = [""] * len(module)
            self._show_cells()

    def _show_cells(self) -> None:
        for cell in self.cells:
            self.shown[cell.lines[0] - 2] = f"# cell {cell.number}"
            texts = zip(cell.lines, directives.lines_of(cell.source), strict=False)
            for line, (place, text) in enumerate(texts, 1):
                self.shown[place - 1] = text
                self.places[place] = (cell.number, line)

    def python(self, cell: FileCell) -> list[str]:
        """The lines of a cell as Python; those that are none are empty."""
        return self._python[cell.number]

    def _function(self, cell: FileCell) -> Iterator[tuple[int, str]]:
        """The lines of the function that a cell is in the module; none where the cell is not Python."""
        found, first, body, at = _parts(cell)
        below = len(directives.lines_of(cell.source)) - first
        self._python[cell.number] = [""] * first + (body or [""] * below)
        if body is None:
            return
        if not found:
            self.ordinary.add(at)
        nothing = "" if ast.parse("\n".join(body)).body else " pass"
        yield at, f"async def {_name(cell.number, found)}():{nothing}"
        for place, line in zip(cell.lines[first:], body, strict=False):
            yield place, f" {line}" if line else ""


def following(cells: Sequence[FileCell]) -> dict[int, int]:
    """For the heading or directive of each cell with statements, where the next one's begin; -1 for the last."""
    begins = []
    for cell in cells:
        _, first, body, at = _parts(cell)
        statements = ast.parse("\n".join(body)).body if body else []
        if statements:
            begins.append((at, cell.lines[first + first_line(statements[0]) - 1]))
    ends = [*(line for _, line in begins[1:]), -1]
    return {at: end for (at, _), end in zip(begins, ends, strict=True)}


def first_line(statement: ast.stmt) -> int:
    """The first line of a statement, with its decorators."""
    lines = [each.lineno for each in getattr(statement, "decorator_list", ())]
    return int(min([statement.lineno, *lines]))


def _parts(
    cell: FileCell,
) -> tuple[tuple[Kind, str, int] | None, int, list[str] | None, int]:
    """What makes a cell a hook or test, its lines up to there, those below as Python, and where it begins."""
    found = directives.find(cell.source)
    first = found[2] + 1 if found else 0
    body = _python(directives.lines_of(cell.source)[first:])
    return found, first, body, cell.lines[first - 1] if found else cell.lines[0] - 1


def _name(number: int, found: tuple[Kind, str, int] | None) -> str:
    """What the function of a cell is called: as its test, if it is one."""
    if found:
        with contextlib.suppress(directives.DirectiveError):
            directive = directives.parse(found[0], found[1])
            return directive.target.replace("::", "_") or f"{directive.scope}_{directive.kind}"
    return f"cell_{number}"


def _python(source: Sequence[str]) -> list[str] | None:
    """These lines of a cell as Python that can stand in a function; None where they cannot."""
    from IPython.core.inputtransformer2 import TransformerManager

    above = next((at for at, line in enumerate(source) if line.strip()), len(source))
    plain = [*source]
    for at in itertools.takewhile(
        lambda at: _RUNS_PYTHON.match(source[at]), range(above, len(source))
    ):
        plain[at] = "get_ipython()"
    try:
        transformed = TransformerManager().transform_cell("\n".join(plain) + "\n")
    except SyntaxError:
        return None
    text = _LAZY.sub(r"\1", _FUTURE.sub(r"\1_", _IMPORTED.sub(r"\1_", transformed)))
    body = [*[""] * above, *directives.lines_of(text), *[""] * len(source)][: len(source)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            whole = "".join(f"\n {line}" for line in body)
            compile(f"async def cell():\n pass{whole}", "cell", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
    return body
