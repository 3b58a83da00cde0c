"""Cells that test nothing, and bodies that a run would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from nbxunit import bodies
from nbxunit.check.findings import Finding
from nbxunit.check.reading import Notebook

_REFUSED = ("yield", "import", "def ", "class ")
"""Without one of these, a body that holds anything is not refused."""


def check(notebook: Notebook) -> Iterator[Finding]:
    """What a run says of the bodies of hook and test cells, from the same rules."""
    for cell, directive in notebook.declaring:
        is_plain = not any(word in cell.source for word in _REFUSED)
        if cell.tree is None or (is_plain and cell.tree.body):
            continue
        for line, message in bodies.refusals(directive, cell.tree):
            yield notebook.finding("body", cell, line, message)
