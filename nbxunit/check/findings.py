"""A finding: what is wrong, where, and what to do about it."""

from __future__ import annotations

import dataclasses
from typing import Literal

Severity = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """`rule` is the kind's name, `cell` a cell's number as a run counts, 0 where it is of the whole file.

    `line` is the line in the cell, `file_line` that of the file. An error would stop a run or pass
    untested, a warning may be meant.
    """

    rule: str
    path: str
    cell: int
    line: int
    file_line: int
    message: str
    severity: Severity = "error"
