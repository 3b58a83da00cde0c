"""What cannot be the body of a hook or test, and what would test nothing: refused, at its line.

Imports the standard library.
"""

from __future__ import annotations

import ast

from nbxunit import bodies, directives
from nbxunit.directives import Directive
from nbxunit.kernel.cells.registry import Cell


class Refused(SyntaxError):
    """A cell's text cannot be the body of a function; shown as any error of syntax in a cell is."""


Refused.__name__ = SyntaxError.__name__


def error(cell: Cell, lineno: int, message: str) -> Refused:
    """What is wrong with the cell at a line."""
    lines = directives.lines_of(cell.source)
    text = lines[lineno - 1] if 0 < lineno <= len(lines) else None
    return Refused(message, (cell.filename, lineno, 1, text))


def same(cell: Cell, exc: SyntaxError, lineno: int) -> Refused:
    """The error that Python has found, with the cell's own text."""
    refused = error(cell, exc.lineno or lineno, exc.msg)
    if refused.text is not None and refused.text == (exc.text or "").rstrip("\n"):
        refused.offset, refused.end_offset = exc.offset, exc.end_offset
        refused.end_lineno = exc.end_lineno
    return refused


def check_text(cell: Cell, lines: list[str], first: int) -> None:
    """Refused for a line that would declare another hook or test."""
    number = directives.misplaced(cell.source)
    if number is not None:
        raise error(cell, number, f"{lines[number - 1]!r} must be the first line of its cell")
    for number, line in enumerate(lines[first:], first + 1):
        if line.startswith("%%xunit_"):
            raise error(
                cell,
                number,
                "a cell declares one hook or one test; put this into a cell of its own",
            )


def check_body(cell: Cell, directive: Directive, tree: ast.Module) -> None:
    """Refused for what a body cannot hold, and for one that tests nothing."""
    for line, message in bodies.refusals(directive, tree):
        raise error(cell, line, message)
