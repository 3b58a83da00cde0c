"""Marks that nothing registers."""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Iterator

from nbxunit.check.findings import Finding
from nbxunit.check.ini import Ini
from nbxunit.check.reading import Cell, Notebook

_OWN = frozenset(
    ("filterwarnings", "notebook", "parametrize", "skip", "skipif", "tryfirst", "trylast", "usefixtures", "xfail")
)  # fmt: skip
"""pytest's marks, and nbxunit's."""
_ALIKE = 0.75
"""From this ratio on, an unknown mark is a known one misspelt."""


def check(notebook: Notebook, ini: Ini) -> Iterator[Finding]:
    """Unknown marks: an error where one is much like a known one, else a warning, as pytest has it."""
    known = _OWN | ini.marks
    for cell in notebook.cells:
        if "mark" not in cell.source:
            continue
        for line, mark in _marks(cell):
            if mark in known:
                continue
            meant = difflib.get_close_matches(mark, sorted(known), 1, _ALIKE)
            if meant:
                yield notebook.finding(
                    "unknown-mark", cell, line, f"unknown mark {mark}, did you mean {meant[0]}?"
                )
            elif not _is_of_plugin(mark):
                message = f"unknown mark {mark}; register it in the ini file: markers = {mark}"
                yield notebook.finding("unknown-mark", cell, line, message, "warning")


def _marks(cell: Cell) -> Iterator[tuple[int, str]]:
    """The lines and names of the marks in a cell."""
    if cell.directive is not None:
        for mark in cell.directive.marks:
            yield cell.first_line, mark.partition("(")[0].strip()
    for node in ast.walk(cell.tree) if cell.tree is not None else ():
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark":
            yield node.lineno, node.attr


def _is_of_plugin(mark: str) -> bool:
    """Whether an installed plugin has the name of a mark, or of its beginning: `django_db`."""
    return mark in _plugins() or mark.partition("_")[0] in _plugins()


@functools.cache
def _plugins() -> frozenset[str]:
    from importlib import metadata

    return frozenset(point.name for point in metadata.entry_points(group="pytest11"))
