"""Code that a cell runs by the shell's own `run_cell`: where in the cell it stands.

May import IPython. Magics such as %%capture do so with the rest of their cell, others with
text of their own; what it defines belongs to the cell, at the line where it can be found.
"""

from __future__ import annotations

import dataclasses
import linecache
import sys
from types import FrameType

from nbxunit import directives
from nbxunit.kernel.cells.registry import Cell
from nbxunit.kernel.compat import ipython


@dataclasses.dataclass(frozen=True)
class Nested:
    """`cell` is the outer cell with the nested code as its source, below as many lines as there."""

    cell: Cell

    def cache_lines(self) -> int:
        """Give tracebacks the code's lines under the numbers of the cell; by how much they differ.

        The shell has put them there as transformed, mostly without the empty lines at their beginning.
        """
        name, above = self.cell.filename, left_out(self.cell)
        ipython.cache_lines(name, ["\n"] * above + linecache.getlines(name))
        return above


def left_out(cell: Cell) -> int:
    """How many empty lines at the beginning of `cell` its code does without."""
    return _empty(directives.lines_of(cell.source)) - _empty(linecache.getlines(cell.filename))


def _empty(lines: list[str]) -> int:
    """How many empty lines come first."""
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def nested(outer: Cell, source: str, filename: str) -> Nested:
    """What `outer` runs inside itself: `source`, whose code has the name `filename`."""
    above = "\n" * _offset(outer, source)
    return Nested(dataclasses.replace(outer, source=above + source, filename=filename))


def _offset(outer: Cell, source: str) -> int:
    """How many lines of `outer` are above `source`; of a text that it makes, above the call."""
    called = _calling_line(outer) - 1
    lines = [line.strip() for line in directives.lines_of(outer.source)]
    wanted = [line.strip() for line in directives.lines_of(source)]
    blank = next((at for at, line in enumerate(wanted) if line), 0)
    found = [at for at in range(len(lines)) if _stands(wanted[blank:], lines, at)]
    at = next((at for at in found if at >= called), found[0] if found else called)
    return max(at - blank, 0)


def _stands(wanted: list[str], lines: list[str], at: int) -> bool:
    """Whether `wanted` stands in `lines` at `at`; quotes can be before the first, behind the last."""
    there = lines[at : at + len(wanted)]
    if len(there) < len(wanted):
        return False
    if len(wanted) == 1:
        return wanted[0] in there[0]
    middle = there[1:-1] == wanted[1:-1]
    return middle and there[0].endswith(wanted[0]) and there[-1].startswith(wanted[-1])


def _calling_line(cell: Cell) -> int:
    """The line of the cell that runs now; 1 if it is none of its own."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename == cell.filename:
            return frame.f_lineno
        frame = frame.f_back
    return 1
