"""Lines that are to declare a hook or test, and do not: misspelt, in the wrong place, without the extension."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbxunit import directives
from nbxunit.check.findings import Finding
from nbxunit.check.reading import Cell, Notebook
from nbxunit.directives import DirectiveError

_KINDS = ("setup", "teardown", "test")
_MAGICS = tuple(f"%%xunit_{kind}" for kind in _KINDS)
_MISSPELT = re.compile(r"%%(x?u?nit\w*|xunit\w*)\b|#[ \t]*xunit:[ \t]*(\w+)")
_NONE_OF_OURS = re.compile(r"%%x?unit(test)?$")
"""What others call their magics."""


def check(notebook: Notebook) -> Iterator[Finding]:
    """Hook and test lines that a run would refuse."""
    for cell in notebook.cells:
        if "unit" in cell.source:
            yield from _of_cell(notebook, cell)
    yield from _not_loaded(notebook)


def _of_cell(notebook: Notebook, cell: Cell) -> Iterator[Finding]:
    if cell.declared is not None:
        kind, rest, index = cell.declared
        try:
            directives.parse(kind, rest)
        except DirectiveError as exc:
            yield notebook.finding("declaration", cell, index + 1, f"%%xunit_{kind}: {exc}")
    else:
        yield from _misspelt(notebook, cell)
    yield from _misplaced(notebook, cell)


def _misspelt(notebook: Notebook, cell: Cell) -> Iterator[Finding]:
    """A first line with a magic or comment of ours that does not exist."""
    index = directives.first(cell.lines)
    match = _MISSPELT.match(cell.lines[index]) if index is not None else None
    if index is None or match is None or _NONE_OF_OURS.match(match[0]):
        return
    word = match[0] if match[1] else match[2]
    meant = directives.did_you_mean(word, _MAGICS if match[1] else _KINDS)
    what = f"{word} is not a magic" if match[1] else f"# xunit: {word} declares nothing"
    expected = "" if meant else f"; there are {', '.join(_MAGICS if match[1] else _KINDS)}"
    if meant or not match[1]:
        yield notebook.finding("declaration", cell, index + 1, f"{what}{meant}{expected}")


def _misplaced(notebook: Notebook, cell: Cell) -> Iterator[Finding]:
    """A magic or comment of ours below the line that may declare."""
    number = directives.misplaced(cell.source)
    if number is not None:
        message = (
            f"{cell.lines[number - 1].strip()!r} must be the first line of its cell; "
            "move it to the top, or into a cell of its own"
        )
        yield notebook.finding("misplaced", cell, number, message)
    first = directives.first(cell.lines)
    for number, line in enumerate(cell.lines, 1):
        if line.startswith(_MAGICS) and number - 1 != first:
            message = (
                f"{line.split()[0]} must be the first line of its cell, so here it is not run; "
                "move it to the top, or into a cell of its own"
            )
            yield notebook.finding("misplaced", cell, number, message)


def _not_loaded(notebook: Notebook) -> Iterator[Finding]:
    declaring = [cell for cell in notebook.cells if cell.declared is not None]
    if declaring and not any(directives.loads_extension(cell.source) for cell in notebook.cells):
        message = (
            "no cell says %load_ext nbxunit, without which hook and test cells are none in Jupyter; "
            "say it in the first cell"
        )
        yield notebook.finding("not-loaded", declaring[0], 1, message)
