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
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from coverage import CoverageData, CoveragePlugin, FileReporter, FileTracer
from coverage.files import GlobMatcher, prep_patterns
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
_STATEMENTS = ("<module>", "<cell line")
"""How IPython names the code of a cell's statements."""
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

    Until `settle`, the data have lines of code, and a name for each cell, `notebook.ipynb/3`; the code of
    its statements has another one than that of its functions, which can begin at the same line.
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
        functions = os.path.join(file.path, str(file.numbers[0]))  # noqa: PTH118
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


tracing: Tracing | None = None
"""What the kernel knows of its cells, where it measures them."""


class Notebooks(CoveragePlugin):
    """The plugin: finds the cells in a kernel, and reads notebooks for reports."""

    def __init__(self) -> None:
        self._excluded = self._partial = ""
        self._includes = self._omits = GlobMatcher([])

    def configure(self, config: TConfigurable) -> None:
        """Take what the configuration leaves out; let it include cells, which are looked at here."""
        included = cast("list[str]", config.get_option("run:include") or [])
        self._includes = GlobMatcher(prep_patterns(included or ["*"]))
        self._omits = GlobMatcher(prep_patterns(cast("list[str]", config.get_option("run:omit"))))
        if included and tracing is not None:
            config.set_option("run:include", [*included, "**/*.ipynb/*"])
        self._excluded = _any_of(config, "report:exclude_lines")
        self._partial = _any_of(config, "report:partial_branches", "report:partial_branches_always")

    def file_tracer(self, filename: str) -> FileTracer | None:
        """What traces code of cells."""
        file = tracing.file(filename) if tracing is not None else None
        if file is None or self._omits.match(file.path) or not self._includes.match(file.path):
            return None
        assert tracing is not None
        return tracing.tracer(filename, file)

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
        return super().lines() - self.module.ordinary

    def arcs(self) -> set[TArc]:
        """The jumps inside of cells."""
        return {arc for arc in super().arcs() if arc[0] not in self.module.ordinary}

    def exit_counts(self) -> dict[TLineNo, int]:
        """How many jumps there are from each line."""
        counts = super().exit_counts().items()
        return {line: count for line, count in counts if line not in self.module.ordinary}

    def translate_arcs(self, arcs: Iterable[TArc]) -> set[TArc]:
        """The jumps as those of the module; what leaves a statement goes to the next one of its cell."""
        left = {-heading for heading in self.module.ordinary}
        return super().translate_arcs(
            (start, self._next.get(start, end) if end in left else end) for start, end in arcs
        )

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
