"""The code of cells while coverage measures it in a kernel, and its lines in the data that are saved.

Imports coverage. Which code is that of which cell, the kernel says.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, cast

from coverage import CoverageData, FileTracer

from nbxunit import lines, text_notebooks
from nbxunit.coverage.module_text import following
from nbxunit.lines import FileCell

_PLUGIN = "nbxunit.coverage.Notebooks"
_STATEMENTS = ("<module>", "<cell line")
"""How IPython names the code of a cell's statements."""


@dataclasses.dataclass(frozen=True)
class CodeFile:
    """A file of code: of the cells of the notebook `path` that have this text, by their `numbers`.

    Its first line is the one behind `above` lines of the cell.
    """

    path: str
    numbers: Sequence[int]
    above: int = 0


class Tracing:
    """What a kernel knows of the code of its cells; `find` tells of a file of code what it is.

    `text_cells` are those of the text notebook at a path that have run, None for other notebooks.
    Until `settle`, the data have lines of code, and a name for each file of code below that of its notebook;
    the code of statements has another one than that of functions, which can begin at the same line.
    """

    def __init__(
        self,
        find: Callable[[str], CodeFile | None],
        text_cells: Callable[[str], list[FileCell] | None],
    ) -> None:
        self._find = find
        self._text_cells = text_cells
        self._traced: dict[str, tuple[str, bool]] = {}
        self._cells: dict[str, _Cells] = {}

    def file(self, filename: str) -> CodeFile | None:
        """What a file of code is, if it is that of a cell of a notebook's file."""
        file = self._find(filename)
        if file is None:
            return None
        known = self._cells_of(file.path).lines  # no injected parameters
        return file if all(number in known for number in file.numbers) else None

    def _cells_of(self, path: str) -> _Cells:
        """The cells of a notebook's file; more of a text notebook's come while it runs."""
        known, text_cells = self._cells.get(path), self._text_cells(path)
        if known is None or (text_cells is not None and len(text_cells) != len(known.lines)):
            cells = lines.distinct(Path(path)) if text_cells is None else text_cells
            known = _Cells(cells, is_script=path.endswith(text_notebooks.SCRIPT))
            self._cells[path] = known
        return known

    def tracer(self, filename: str, file: CodeFile) -> FileTracer:
        """What traces the code of the cells of `file`."""
        functions = os.path.join(file.path, os.path.basename(filename))  # noqa: PTH118, PTH119
        statements = f"{functions} statements"
        self._traced |= {functions: (filename, False), statements: (filename, True)}
        return CellTracer(functions, statements)

    def settle(self, data: CoverageData, into: CoverageData, folder: str) -> None:
        """Add `data` to `into`, with the lines of notebooks' files; relative names are from `folder`."""
        for name in data.measured_files():
            traced = self._traced.get(os.path.join(folder, name))  # noqa: PTH118
            file = self.file(traced[0]) if traced is not None else None
            if traced is None or file is None:
                _add(data, name, into, name, data.file_tracer(name) or "", lambda each: [each])
                continue
            tracer = "" if file.path.endswith(text_notebooks.SCRIPT) else _PLUGIN
            cells = self._cells[file.path]  # `file` has seen to it
            placed = functools.partial(cells.placed, file, are_statements=traced[1])
            _add(data, name, into, os.path.dirname(name), tracer, placed)  # noqa: PTH120


def _add(
    data: CoverageData, name: str, into: CoverageData, target: str, tracer: str,
    placed: Callable[[tuple[int, ...]], Iterable[tuple[int, ...]]],
) -> None:  # fmt: skip
    """Add what `data` have of a file to `target`, each line or jump where it is `placed`."""

    def add(found: set[Any]) -> None:
        if data.has_arcs():
            into.add_arcs({target: found})
        else:
            into.add_lines({target: {line for (line,) in found}})

    add(set())  # so that `into` knows which of both it has
    for context in set(itertools.chain(*data.contexts_by_lineno(name).values())):
        data.set_query_context(context)
        into.set_context(context)
        measured: Iterable[tuple[int, ...]] = data.arcs(name) or ()
        if not data.has_arcs():
            measured = ((line,) for line in data.lines(name) or ())
        add({place for each in measured for place in placed(each)})
    data.set_query_contexts(None)
    into.touch_file(target, tracer)


class _Cells:
    """The cells of a notebook's file, by their numbers."""

    def __init__(self, cells: list[FileCell], *, is_script: bool) -> None:
        self.lines = {cell.number: cell.lines for cell in cells}
        self._cells = cells
        self._is_script = is_script

    def placed(
        self, file: CodeFile, numbers: Sequence[int], *, are_statements: bool
    ) -> Iterator[tuple[int, ...]]:
        """Where numbers of lines of code are in the file, once in each of its cells.

        Where code of statements begins and ends is the heading of the cell. A script is read as a module:
        there it comes from the cell above, and goes on in the cell below.
        """
        for number in file.numbers:
            cell = self.lines[number]
            places = [
                1 - cell[0] if are_statements and each < 0 else _place(cell, each, file.above)
                for each in numbers
            ]
            if None not in places:
                yield from self._in_module(cast("list[int]", places))

    def _in_module(self, places: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """A line or jump as it is in the file, a script's as one of the module."""
        if not self._is_script or len(places) == 1:
            yield tuple(places)
            return
        begin, end = places
        if -begin not in self._next:
            yield begin, self._next.get(-end, end)
        elif -begin == next(iter(self._next)):
            yield -1, end

    @functools.cached_property
    def _next(self) -> dict[int, int]:
        """Where the code of each cell begins, with where a module goes on behind it."""
        return following(self._cells)


def _place(cell: Sequence[int], line: int, above: int) -> int | None:
    """Where a line of the code of a cell is; below zero it is where code begins or ends."""
    at = abs(line) - 1 + above
    if not 0 <= at < len(cell):
        return None
    return cell[at] if line > 0 else -cell[at]


class CellTracer(FileTracer):
    """Gives the code of a cell its name: that of `functions` or that of `statements`."""

    def __init__(self, functions: str, statements: str) -> None:
        self._functions = functions
        self._statements = statements

    def has_dynamic_source_filename(self) -> bool:
        """There are two names."""
        return True

    def dynamic_source_filename(self, _filename: str, frame: FrameType) -> str:
        """The name of the code that runs in `frame`."""
        is_function = not frame.f_code.co_name.startswith(_STATEMENTS)
        return self._functions if is_function else self._statements


current: Tracing | None = None
"""What the kernel knows of its cells, where it measures them."""
