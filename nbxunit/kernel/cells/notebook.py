"""The notebook in its kernel: its shell, its names, its registry, and its cells by their files.

May import IPython. What one run knows is `run.state`'s, what a live notebook remembers `inline.live`'s.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbxunit import directives
from nbxunit.kernel.cells import nesting
from nbxunit.kernel.cells.cleanups import CellCleanups
from nbxunit.kernel.cells.kept_code import KeptCode
from nbxunit.kernel.cells.nesting import Nested
from nbxunit.kernel.cells.patterns import Patterns
from nbxunit.kernel.cells.registry import Cell, Declaration, Registry
from nbxunit.kernel.compat import ipython, plugins

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a cell comes from that is not of the notebook's own file; its parts are as a cell's."""

    notebook: str
    key: str
    number: int
    first_line: int = 0


class Notebook:
    """A notebook in its kernel.

    `headless` is True when a runner executes the notebook: then cells only register. `variant` names its
    run among several with other parameters. `first_lines` are those of the file in which the cells of a text
    notebook begin, else none. `runs_cell` is True from a cell's begin to its end.
    `patterns` tell what is a test in an ordinary cell. `kept_code` is that of its tests from a run before.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.registry = Registry()
        self.headless = self.runs_cell = False
        self.variant = ""
        self.first_lines: Sequence[int] = ()
        self.kept_code = KeptCode()
        self._path: Path | None = None
        self._folder = Path.cwd()  # a cell may leave it
        self._patterns: Patterns | None = None
        self._cell: Cell | None = None
        self._infos: list[object] = []
        self._nested: list[Nested] = []
        self._unplaced: Nested | None = None
        self._origin: Origin | None = None
        self._cells_of_files: dict[str, Cell] = {}
        self._cells_of_names: dict[str, Cell] = {}
        self._cleanups = CellCleanups()

    @property
    def patterns(self) -> Patterns:
        """Before a run has set them, those of the ini file of the notebook's folder."""
        if self._patterns is None:
            self._patterns = Patterns.of(plugins.ini_values(self.path.parent))
        return self._patterns

    @patterns.setter
    def patterns(self, patterns: Patterns) -> None:
        self._patterns = patterns

    @property
    def namespace(self) -> MutableMapping[str, object]:
        """The notebook's names."""
        namespace: MutableMapping[str, object] = self.shell.user_ns
        return namespace

    # --- path ---

    @property
    def path(self) -> Path:
        """The notebook's file; where it is not known, `notebook.ipynb` in the first working directory."""
        return self._path or ipython.notebook_path(self.shell) or self._folder / "notebook.ipynb"

    @path.setter
    def path(self, path: Path) -> None:
        self._path = path

    # --- cells ---

    def begin_cell(self, info: ExecutionInfo) -> None:
        """A cell is about to run (`pre_run_cell`), or code inside one by the shell's `run_cell`."""
        if info.silent:  # a host's order, which is no cell of the notebook
            return
        if self._infos and not ipython.is_in_cell(self.namespace):
            self.end_cell(self._infos[0])  # JupyterLite does not tell the end of a cell that awaits
        self._infos.append(info)
        if len(self._infos) > 1:
            self._begin_nested(info)
            return
        raw = info.raw_cell or ""
        if self._origin is not None:
            self._begin(self._foreign_cell(self._origin, raw, self._transformed(info)))
            return
        metadata = ipython.execute_metadata(self.shell)
        number = self.shell.execution_count - (0 if self._counts_late(info) else 1)
        filename = ipython.cell_filename(self.shell, raw, self._transformed(info), number)
        told = ipython.cell_id(metadata, filename) or getattr(info, "cell_id", None)
        key = str(told or hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest())
        cell = Cell(key, number, raw, filename, str(metadata.get("cellId") or ""))
        self._begin(cell, metadata.get("deletedCells") or ())

    def _begin_nested(self, info: ExecutionInfo) -> None:
        """Code that the running cell runs inside itself is the cell's own."""
        outer, raw = self.cell, info.raw_cell or ""
        filename = ipython.cell_filename(self.shell, raw, self._transformed(info), outer.number)
        inner = nesting.nested(outer, raw, filename)
        self._nested.append(inner)
        self._unplaced = inner
        self._know(inner.cell)

    def place(self, tree: ast.Module) -> None:
        """Give the nested code that is about to be compiled its lines in the cell."""
        inner, self._unplaced = self._unplaced, None
        if inner is not None:
            ast.increment_lineno(tree, inner.cache_lines())
            ipython.number_cell(self.shell, inner.cell.filename, inner.cell.number)

    def place_timed(self, tree: ast.AST) -> str | None:
        """Give code under the magic of the running cell its lines; the name of its file.

        None where no cell runs, or its code does not stand below a magic: a line magic has code of its own.
        The shell has taken the empty lines at its beginning away.
        """
        if self._cell is None or not self.runs_cell:
            return None
        lines = directives.lines_of(self.cell.source)
        if (first := directives.first(lines)) is None or not lines[first].startswith("%%"):
            return None
        body = re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join([*lines[first + 1 :], ""]))
        filename = ipython.cell_filename(self.shell, body, body, self.cell.number)
        ipython.cache_lines(filename, [f"{line}\n" for line in directives.lines_of(body)])
        inner = nesting.nested(self.cell, body, filename)
        ast.increment_lineno(tree, inner.cache_lines())
        self._know(inner.cell)
        ipython.number_cell(self.shell, filename, inner.cell.number)
        return filename

    def _know(self, cell: Cell) -> None:
        self._cells_of_files[cell.filename] = self._cells_of_names[last_part(cell.filename)] = cell

    def _begin(self, cell: Cell, deleted: Iterable[object] = (), *, executes: bool = True) -> None:
        self.runs_cell = True
        self._cell = cell
        self._know(cell)
        self.registry.begin(cell, map(str, deleted), executes=executes)
        self._cleanups.begin(cell.key)

    def _foreign_cell(self, origin: Origin, raw: str, transformed: str) -> Cell:
        filename = ipython.cell_filename(self.shell, raw, transformed, origin.number)
        return Cell(
            origin.key, origin.number, raw, filename,
            notebook=origin.notebook, first_line=origin.first_line,
        )  # fmt: skip

    def line_above(self, cell: Cell) -> int | None:
        """How many lines stand above a cell in the file of a text notebook; None for other cells."""
        first = cell.first_line
        if not cell.notebook and cell.number and self.first_lines:
            first = self.first_lines[cell.number - 1]
        return first - 1 if first else None

    @contextlib.contextmanager
    def executing(self, origin: Origin) -> Iterator[None]:
        """Within, what the shell runs is a cell of another notebook."""
        before = self._origin, self._infos, self._nested
        self._origin, self._infos, self._nested = origin, [], []
        try:
            yield
        finally:
            self._origin, self._infos, self._nested = before

    def end_cell(self, info: object = None) -> None:
        """What began with `info` has run (`post_run_cell`); without it, what began last.

        The shell also says so of an empty text, which it has not begun.
        """
        if info is not None and not any(info is each for each in self._infos):
            return
        ended = self._infos.pop() if self._infos else None
        while info is not None and ended is not info:
            ended = self._infos.pop()
        del self._nested[max(len(self._infos) - 1, 0) :]
        if self._infos:
            return
        self._end()
        if self.headless and getattr(ended, "store_history", False):
            # A host counts cells, and not what they count inside themselves.
            self.shell.execution_count = self.cell.number + 1

    def _end(self) -> None:
        self.runs_cell = False
        if self._cell is not None:
            self._cleanups.end(self._cell.key)
            names = self.registry.definitions(self._cell.key)
            tests = self.patterns.tests_among(names, self.namespace) if names else ()
            self.registry.keep(self._cell.key, self.namespace, tests)
            if not self.headless:  # there, no cell runs again
                self.registry.defined(self._cell.key, self.namespace)

    @contextlib.contextmanager
    def registering(self, source: str, key: str) -> Iterator[None]:
        """Within, the cell `key` counts as the one that runs; behind it, as one that has run."""
        number = self.shell.execution_count
        filename = ipython.cell_filename(self.shell, source, source, number)
        self._begin(Cell(key, number, source, filename), executes=False)
        try:
            yield
        finally:
            self._end()
        ipython.store_input(self.shell, number, source)
        self.shell.execution_count += 1

    @staticmethod
    def _counts_late(info: ExecutionInfo) -> bool:
        """Whether the shell has yet to count this cell: IPython 9 counts before `pre_run_cell`."""
        import IPython

        return not info.store_history or IPython.version_info < (9,)

    def _transformed(self, info: ExecutionInfo) -> str:
        transformed = getattr(info, "transformed_cell", None)
        return str(transformed if transformed is not None else info.raw_cell)

    @property
    def is_busy(self) -> bool:
        """Whether the cell that began last, or a host's order, has not come to its end."""
        return self.headless or self.runs_cell or self._cell is None

    @property
    def cell(self) -> Cell:
        """The cell that is running; with the code that it runs inside itself as its own.

        RuntimeError if none is.
        """
        if self._cell is None:
            raise RuntimeError("no cell is running")
        return self._nested[-1].cell if self._nested else self._cell

    def defined(self, names: list[str]) -> list[Declaration]:
        """The cell that is running, if one is, defines these functions and classes.

        What is returned are the test cells whose place they take in a live notebook.
        """
        if self._cell is None or not self.runs_cell:
            return []
        self.registry.define(self._cell.key, names, self.namespace)
        tests = self.registry.tests() if not self.headless else []
        replaced = [
            test for test in tests if not test.directive.path and test.directive.name in names
        ]
        for test in replaced:
            self.registry.discard(test)
        return replaced

    def cell_of_file(self, filename: str) -> Cell | None:
        """The cell whose code has this file name; also by the last part of a path to it."""
        return self._cells_of_files.get(filename) or self._cells_of_names.get(last_part(filename))

    @property
    def cell_files(self) -> Mapping[str, Cell]:
        """The cells that have run, by the file names of their code."""
        return self._cells_of_files

    def files_of(self, cell: Cell) -> list[str]:
        """The names of the code of a cell, and of what it has run inside itself."""
        return [name for name, each in self._cells_of_files.items() if each.key == cell.key]

    def cells_by_label(self) -> Mapping[str, Cell]:
        """The cells that have run, by how messages name them."""
        known = self._cells_of_files.values()
        return {each.label: self.registry.cells.get(each.key, each) for each in known}

    def reset(self) -> None:
        """Forget all that cells have declared."""
        self.registry.clear()
        self._cleanups.clear()
        self.registry.note_names(self.namespace)


def last_part(file: str) -> str:
    """The name of a code's file without its folder; it may be no path at all."""
    return re.split(r"[/\\]", file)[-1]
