"""The code of cells while coverage measures it in a kernel, and its lines in the data that are saved.

Imports coverage. Which code is that of which cell, the kernel says.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, cast

from coverage import CoverageData, FileTracer

from nbxunit import lines

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

    Until `settle`, the data have lines of code, and a name for each file of code below that of its notebook;
    the code of statements has another one than that of functions, which can begin at the same line.
    """

    def __init__(self, find: Callable[[str], CodeFile | None]) -> None:
        self._find = find
        self._traced: dict[str, tuple[str, bool]] = {}
        self._lines: dict[str, dict[int, tuple[int, ...]]] = {}

    def file(self, filename: str) -> CodeFile | None:
        """What a file of code is, if it is that of a cell of a notebook's file."""
        file = self._find(filename)
        if file is None:
            return None
        if file.path not in self._lines:
            cells = lines.distinct(Path(file.path))
            self._lines[file.path] = {cell.number: cell.lines for cell in cells}
        known = self._lines[file.path]  # no injected parameters
        return file if all(number in known for number in file.numbers) else None

    def tracer(self, filename: str, file: CodeFile) -> FileTracer:
        """What traces the code of the cells of `file`."""
        functions = os.path.join(file.path, os.path.basename(filename))  # noqa: PTH118, PTH119
        statements = f"{functions} statements"
        self._traced |= {functions: (filename, False), statements: (filename, True)}
        return CellTracer(functions, statements)

    def settle(self, data: CoverageData, into: CoverageData, folder: str) -> None:
        """Add `data` to `into`, with the lines of notebooks' files; relative names are from `folder`."""
        notebooks = {}
        for name in data.measured_files():
            traced = self._traced.get(os.path.join(folder, name))  # noqa: PTH118
            file = self.file(traced[0]) if traced is not None else None
            if traced is not None and file is not None:
                notebooks[name] = os.path.dirname(name)  # noqa: PTH120
                self._move(data, name, file, are_statements=traced[1])
        into.update(data, lambda name: notebooks.get(name, name))

    def _move(self, data: CoverageData, name: str, file: CodeFile, *, are_statements: bool) -> None:
        """Replace what `data` have for code of a cell by lines of its notebook.

        Where code of statements begins and ends is the heading of the cell.
        """
        cells = [self._lines[file.path][number] for number in file.numbers]

        def place(cell: Sequence[int], number: int) -> int | None:
            if are_statements and number < 0:
                return 1 - cell[0]
            at = abs(number) - 1 + file.above
            if not 0 <= at < len(cell):
                return None
            return cell[at] if number > 0 else -cell[at]

        def placed(*numbers: int) -> Iterator[tuple[int, ...]]:
            for cell in cells:
                places = tuple(place(cell, number) for number in numbers)
                if None not in places:
                    yield cast("tuple[int, ...]", places)

        found: dict[str, set[Any]] = {}
        for context in data.measured_contexts():
            data.set_query_context(context)
            measured: Iterable[tuple[int, ...]] = data.arcs(name) or ()
            if not data.has_arcs():
                measured = ((line,) for line in data.lines(name) or ())
            found[context] = {each for numbers in measured for each in placed(*numbers)}
        data.set_query_contexts(None)
        data.purge_files([name])
        for context, ends in found.items():
            data.set_context(context)
            if data.has_arcs():
                data.add_arcs({name: ends})
            else:
                data.add_lines({name: {line for (line,) in ends}})


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
