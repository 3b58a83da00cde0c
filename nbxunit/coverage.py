"""coverage.py's plugin for notebooks: the lines of cells are those of their .ipynb file.

The one module of ours that imports coverage; coverage loads it by its name. In a kernel, `tracing` knows
the code of cells, and coverage measures it; elsewhere the plugin reports what was measured.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
import os
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from coverage import CoverageData, CoveragePlugin, FileReporter, FileTracer
from coverage.parser import PythonParser
from coverage.phystokens import source_token_lines
from coverage.python import PythonFileReporter
from coverage.regions import code_regions

from nbxunit import directives, lines
from nbxunit.module_text import ModuleText

if TYPE_CHECKING:
    from coverage.plugin import CodeRegion
    from coverage.plugin_support import Plugins
    from coverage.types import TArc, TConfigurable, TLineNo

_OF_OTHERS = ("node_modules", "site-packages")
_LINE = re.compile(r"\bline (\d+)")


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

    Until `settle`, lines in the data are those of the notebook's file plus the size of its biggest cell:
    coverage also notes where frames begin, end and go on by their own lines, which are smaller.
    """

    def __init__(self, find: Callable[[str], CodeFile | None]) -> None:
        self._find = find
        self._traced: set[str] = set()
        self._notebooks: dict[str, _Notebook] = {}

    def tracer(self, filename: str) -> CellTracer | None:
        """The tracer of a file of code, if it is that of a cell of a notebook's file."""
        file = self._find(filename)
        if file is None:
            return None
        notebook = self._notebooks.setdefault(file.path, _Notebook(file.path))
        if not notebook.has(file):
            return None
        self._traced.add(filename)
        return CellTracer(file.path, notebook.numbers(file))

    def settle(self, data: CoverageData, folder: str) -> None:
        """Let `data` have the lines of the notebooks' files; its relative paths are those from `folder`."""
        files = [file for file in map(self._find, self._traced) if file is not None]
        for name in data.measured_files():
            path = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
            if path in self._notebooks:
                same = {file.numbers[0]: file for file in files if file.path == path}
                _replace(data, name, self._notebooks[path], same)


class _Notebook:
    """The lines of the cells of one notebook's file."""

    def __init__(self, path: str) -> None:
        self._cells = {cell.number: cell.lines for cell in lines.distinct(Path(path))}
        self._shift = max(map(len, self._cells.values()), default=0)
        self._owners = {line: number for number, each in self._cells.items() for line in each}

    def has(self, file: CodeFile) -> bool:
        """Whether these cells are in the notebook's file; injected parameters are not."""
        return all(number in self._cells for number in file.numbers)

    def numbers(self, file: CodeFile) -> list[int]:
        """What the data have for each line of a file of code, from line 0 on; -1 is none."""
        places = self._cells[file.numbers[0]][file.above :]
        return [-1, *(place + self._shift for place in places)]

    def owner(self, numbers: Iterable[int]) -> int | None:
        """The first of the cells that has a line with one of these `numbers`."""
        found = (self._owners.get(number - self._shift) for number in numbers)
        return next((number for number in found if number is not None), None)

    def settled(self, number: int, owner: int, file: CodeFile) -> Iterator[int]:
        """The lines of the notebook's file that `number` stands for, in each cell of `file`."""
        if abs(number) > self._shift:
            line = self._cells[owner].index(number - self._shift)
        else:
            line = abs(number) - 1 + file.above
        for each in file.numbers:
            place = self._cells[each][min(line, len(self._cells[each]) - 1)]
            yield -place if number < 0 else place


def _replace(
    data: CoverageData, name: str, notebook: _Notebook, files: Mapping[int, CodeFile]
) -> None:
    """Replace what `data` have for a notebook by the lines of its file."""

    def settled(pair: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        owner = notebook.owner(pair)
        if owner is not None:
            ends = (notebook.settled(number, owner, files[owner]) for number in pair)
            yield from zip(*ends, strict=True)

    found: dict[str, set[Any]] = {}
    for context in data.measured_contexts():
        data.set_query_context(context)
        measured: Iterable[tuple[int, ...]] = data.arcs(name) or ()
        if not data.has_arcs():
            measured = ((line,) for line in data.lines(name) or ())
        found[context] = {each for pair in measured for each in settled(pair)}
    data.set_query_contexts(None)
    data.purge_files([name])
    for context, ends in found.items():
        data.set_context(context)
        if data.has_arcs():
            data.add_arcs({name: ends})
        else:
            data.add_lines({name: {line for (line,) in ends}})


class CellTracer(FileTracer):
    """Says which lines the code of cells is; `numbers` are those of its lines."""

    def __init__(self, path: str, numbers: Sequence[int]) -> None:
        self._path = path
        self._numbers = numbers

    def source_filename(self) -> str:
        """The notebook."""
        return self._path

    def line_number_range(self, frame: FrameType) -> tuple[TLineNo, TLineNo]:
        """The line's number; none for a line that the cell does not have."""
        line = frame.f_lineno
        number = self._numbers[line] if line < len(self._numbers) else -1
        return number, number


tracing: Tracing | None = None
"""What the kernel knows of its cells, where it measures them."""


class Notebooks(CoveragePlugin):
    """The plugin: finds the cells in a kernel, and reads notebooks for reports."""

    def __init__(self) -> None:
        self._excluded = self._partial = ""

    def configure(self, config: TConfigurable) -> None:
        """Take what the configuration leaves out."""
        self._excluded = _any_of(config, "report:exclude_lines")
        self._partial = _any_of(config, "report:partial_branches", "report:partial_branches_always")

    def file_tracer(self, filename: str) -> FileTracer | None:
        """What traces code of cells."""
        return tracing.tracer(filename) if tracing is not None else None

    def file_reporter(self, filename: str) -> FileReporter:
        """What reads the notebook."""
        return NotebookReporter(filename, self._excluded, self._partial)

    def find_executable_files(self, src_dir: str) -> Iterator[str]:
        """The notebooks below a folder."""
        for folder, folders, files in os.walk(src_dir):
            folders[:] = [name for name in folders if not name.startswith(".")]
            if "pyvenv.cfg" in files or folder.endswith(_OF_OTHERS):
                folders.clear()
                continue
            yield from (os.path.join(folder, name) for name in files if name.endswith(".ipynb"))  # noqa: PTH118


class NotebookReporter(PythonFileReporter):
    """A notebook in reports: one file of its code cells, with a heading above each."""

    def __init__(self, filename: str, excluded: str = "", partial: str = "") -> None:
        super().__init__(filename)
        self.module = ModuleText(Path(filename))
        self._excluded = excluded
        self._partial = partial
        self._next = dict(self._following())

    def _following(self) -> Iterator[tuple[int, int]]:
        """For lines of ordinary cells, where the next statement of the cell begins: each is code of its own."""
        functions = {node.lineno: node for node in ast.parse(self.module.text).body}
        for heading in self.module.ordinary:
            statements = getattr(functions.get(heading), "body", [])
            for node, after in itertools.pairwise(statements):
                for line in range(_first(node), node.end_lineno + 1):
                    yield line, _first(after)

    @property
    def parser(self) -> PythonParser:
        """What coverage finds in the module."""
        if self._parser is None:
            self._parser = PythonParser(self.module.text, self.filename, self._excluded or None)
            self._parser.parse_source()
        return self._parser

    def source(self) -> str:
        """The cells, each line where it is in the file."""
        return "\n".join(self.module.shown) + "\n"

    def lines(self) -> set[TLineNo]:
        """The statements; a heading is none."""
        return super().lines() - self.module.ordinary.keys()

    def arcs(self) -> set[TArc]:
        """The jumps inside of cells."""
        return {arc for arc in super().arcs() if arc[0] not in self.module.ordinary}

    def exit_counts(self) -> dict[TLineNo, int]:
        """How many jumps there are from each line."""
        counts = super().exit_counts().items()
        return {line: count for line, count in counts if line not in self.module.ordinary}

    def translate_arcs(self, arcs: Iterable[TArc]) -> set[TArc]:
        """The jumps as those of the module, where a cell is a function and its statements are one code."""
        found = set(arcs)
        for heading, starts in self.module.ordinary.items():
            begin_or_end = {-line for line in starts}
            for start, end in arcs:
                if start in begin_or_end:
                    found.add((-heading, end))
                if end in begin_or_end:
                    found.add((start, self._next.get(start, -heading)))
        return super().translate_arcs(found)

    def no_branch_lines(self) -> set[TLineNo]:
        """The lines that a comment excuses."""
        return self.parser.lines_matching(self._partial) if self._partial else set()

    def missing_arc_description(
        self, start: TLineNo, end: TLineNo, executed_arcs: Iterable[TArc] | None = None
    ) -> str:
        """What did not happen, with cells and their lines."""
        return _LINE.sub(self._placed, super().missing_arc_description(start, end, executed_arcs))

    def _placed(self, match: re.Match[str]) -> str:
        cell, line = self.module.places.get(int(match[1]), (0, 0))
        return f"{match[0]} (cell {cell}, line {line})" if cell else match[0]

    def source_token_lines(self) -> Iterator[list[tuple[str, str]]]:
        """The lines in colours, each with its cell and its line there in front."""
        colours = dict(self._coloured())
        for number, text in enumerate(self.module.shown, 1):
            cell, line = self.module.places.get(number, (0, 0))
            place = [("com", f"{f'[{cell}] {line}':<9}")] if cell else []
            yield place + colours.get(number, [("com", text)] if text else [])

    def _coloured(self) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """The lines of cells in colours, as far as they are Python."""
        for cell in self.module.cells:
            source = directives.lines_of(cell.source)
            changed = [
                a if a == b else "" for a, b in zip(source, self.module.python(cell), strict=True)
            ]
            try:
                coloured = list(source_token_lines("\n".join(changed) + "\n"))
            except (tokenize.TokenError, SyntaxError):
                coloured = []
            pairs = itertools.zip_longest(source, coloured[: len(source)])
            for place, (text, tokens) in zip(cell.lines, pairs, strict=False):
                yield place, tokens or [("txt", text)]

    def code_regions(self) -> Iterable[CodeRegion]:
        """The functions and classes of cells; each cell is a function, too."""
        return code_regions(self.module.text)


def _any_of(config: TConfigurable, *names: str) -> str:
    """One regular expression for all that these options have."""
    given = (cast("list[str]", config.get_option(name) or []) for name in names)
    return "|".join(f"(?:{each})" for each in itertools.chain(*given))


def _first(node: Any) -> int:
    """The first line of a statement, with its decorators."""
    lines = [each.lineno for each in getattr(node, "decorator_list", ())]
    return int(min([node.lineno, *lines]))


def coverage_init(registry: Plugins, _options: Any) -> None:
    """Register the plugin: to measure where there are cells, else to report."""
    plugin = Notebooks()
    registry.add_configurer(plugin)
    if tracing is not None:
        registry.add_file_tracer(plugin)
