"""Which cells are compared, and what their tests are called.

Imports the standard library. Tags and comments are nbval's, beside Jupyter's `raises-exception` and
`skip-execution`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from nbxunit import directives
from nbxunit.host.comparing.normalise import is_own

Marker = Literal["ignore", "check", "raises", "skip"]
_TAGS: Mapping[str, Marker] = {
    "nbval-ignore-output": "ignore",
    "nbval-check-output": "check",
    "nbval-raises-exception": "raises",
    "raises-exception": "raises",
    "nbval-skip": "skip",
    "skip-execution": "skip",
}
_COMMENTS: Mapping[str, Marker] = {
    "NBVAL_IGNORE_OUTPUT": "ignore",
    "PYTEST_VALIDATE_IGNORE_OUTPUT": "ignore",
    "NBVAL_CHECK_OUTPUT": "check",
    "NBVAL_RAISES_EXCEPTION": "raises",
    "NBVAL_SKIP": "skip",
}
_COMMENT = re.compile(r"^[ \t]*#[ \t]*([A-Z_]+)[ \t]*$", re.MULTILINE)
_OURS = re.compile(r"^[ \t]*%(?:load_ext|reload_ext)[ \t]+nbxunit\b|^[ \t]*%%?xunit_", re.MULTILINE)
JUPYTERS: Mapping[Marker, str] = {"raises": "raises-exception", "skip": "skip-execution"}
"""The tags by which Jupyter says the same, and which a run obeys."""


def markers(cell: Mapping[str, Any]) -> set[Marker]:
    """What tags and comments say of a code cell."""
    tags = cell.get("metadata", {}).get("tags") or ()
    comments = _COMMENT.findall(cell["source"])
    return {_TAGS[tag] for tag in tags if tag in _TAGS} | {
        _COMMENTS[comment] for comment in comments if comment in _COMMENTS
    }


def is_compared(cell: Mapping[str, Any]) -> bool:
    """Whether a cell has stored outputs that count: those of nbxunit's own cells do not."""
    source = cell["source"]
    if cell["cell_type"] != "code" or not source.strip():
        return False
    if all(is_own(output) for output in cell.get("outputs", ())):
        return False
    is_ours = directives.find(source) is not None or _OURS.search(source) is not None
    return not is_ours and not markers(cell) & {"ignore", "skip"}


def names(cells: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, str]]:
    """The index, number and name of each code cell that runs: `cell[TAG]` where a tag is its own.

    The number is what reports call it; the name has it where there is no such tag, or more than one.
    """
    tags = Counter(tag for cell in cells for tag in set(_own_tags(cell)))
    number = 0
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code" or not cell["source"].strip() or "skip" in markers(cell):
            continue
        number += 1
        own = [tag for tag in _own_tags(cell) if tags[tag] == 1]
        yield index, number, f"cell[{own[0] if len(own) == 1 else number}]"


def _own_tags(cell: Mapping[str, Any]) -> list[str]:
    """The tags that say nothing to a tool."""
    return [tag for tag in cell.get("metadata", {}).get("tags") or () if tag not in _TAGS]
