"""The live notebook: its shell, its registry, its settings, and what is known of its cells.

May import IPython. Everything else in this folder is handed the `Notebook` it works for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbxunit.kernel.cells.cleanups import CellCleanups
from nbxunit.kernel.cells.registry import Cell, Declaration, Registry
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.results.outline import LastRun

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

    from nbxunit.kernel.inline.open_scope import Opened


@dataclasses.dataclass
class Settings:
    """What `%xunit_config` sets."""

    run_cells: bool = True
    raise_on_failure: bool = True


@dataclasses.dataclass(frozen=True)
class HookRun:
    """A hook that ran: `seconds` it took, and whether it passed."""

    hook: Declaration
    seconds: float
    passed: bool


class Notebook:
    """A notebook in its kernel.

    `headless` is True when a runner executes the notebook: then cells only register. `runs_cell` is
    True from a cell's begin to its end. `kept_names` takes the
    names that hooks made, while an inline run has failed; else it is None. `partial` is True while
    some tests of a live notebook run: then not all cells need to have run, and the test cells `left_out`
    are not even collected. `opened` is the scope
    that a person keeps open. `failure` is what the first failed test of the last run has raised.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.registry = Registry()
        self.settings = Settings()
        self.headless = False
        self.runs_cell = False
        self.kept_names: dict[str, object] | None = None
        self.hook_runs: list[HookRun] = []
        self.cache: dict[str, object] = {}
        self.last_runs: dict[str, LastRun] = {}
        self.partial = False
        self.left_out: frozenset[str] = frozenset()
        self.opened: Opened | None = None
        self.failure: BaseException | None = None
        self._notes: list[str] = []
        self._path: Path | None = None
        self._cell: Cell | None = None
        self._cells_of_files: dict[str, Cell] = {}
        self._cells_of_names: dict[str, Cell] = {}
        self._left_names: set[str] = set()
        self._cleanups = CellCleanups()

    # --- what there is to say ---

    def note(self, text: str) -> None:
        """Say `text` with the results of this cell, or at its end."""
        self._notes.append(text)

    def take_notes(self) -> list[str]:
        """What is to be said, once."""
        notes, self._notes = self._notes, []
        return notes

    @property
    def namespace(self) -> MutableMapping[str, object]:
        """The notebook's names."""
        namespace: MutableMapping[str, object] = self.shell.user_ns
        return namespace

    # --- path ---

    @property
    def path(self) -> Path:
        """The notebook's file; `notebook.ipynb` in the working directory where it is not known."""
        return self._path or ipython.notebook_path(self.shell) or Path.cwd() / "notebook.ipynb"

    @path.setter
    def path(self, path: Path) -> None:
        self._path = path

    # --- cells ---

    def begin_cell(self, info: ExecutionInfo) -> None:
        """A cell is about to run (`pre_run_cell`)."""
        metadata = ipython.execute_metadata(self.shell)
        raw = info.raw_cell or ""
        number = self.shell.execution_count - (0 if self._counts_late(info) else 1)
        filename = ipython.cell_filename(self.shell, raw, self._transformed(info), number)
        told = ipython.cell_id(metadata, filename) or getattr(info, "cell_id", None)
        key = str(told or hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest())
        cell = Cell(key, number, raw, filename, str(metadata.get("cellId") or ""))
        self._begin(cell, metadata.get("deletedCells") or ())

    def _begin(self, cell: Cell, deleted: Iterable[object] = (), *, executes: bool = True) -> None:
        self.runs_cell = True
        self._cell = cell
        self._cells_of_files[cell.filename] = self._cells_of_names[last_part(cell.filename)] = cell
        self.registry.begin(cell, map(str, deleted), executes=executes)
        self._cleanups.begin(cell.key)

    def end_cell(self) -> None:
        """A cell has run (`post_run_cell`)."""
        self.runs_cell = False
        if self._cell is not None:
            self._cleanups.end(self._cell.key)
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
            self.end_cell()
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
    def cell(self) -> Cell:
        """The cell that is running. RuntimeError if none is."""
        if self._cell is None:
            raise RuntimeError("no cell is running")
        return self._cell

    def defined(self, names: list[str]) -> None:
        """The cell that is running, if one is, defines these functions and classes."""
        if self._cell is None or not self.runs_cell:
            return
        self.registry.define(self._cell.key, names)
        if not self.headless:
            self._replace_tests(names)

    def _replace_tests(self, names: list[str]) -> None:
        for test in self.registry.tests():
            if not test.directive.path and test.directive.name in names:
                self.registry.discard(test)
                self.note(f"{test.directive.label}: replaces that of [{test.cell.number}]")

    def cell_of_file(self, filename: str) -> Cell | None:
        """The cell whose code has this file name; also by the last part of a path to it."""
        return self._cells_of_files.get(filename) or self._cells_of_names.get(last_part(filename))

    @property
    def cell_files(self) -> Mapping[str, Cell]:
        """The cells that have run, by the file names of their code."""
        return self._cells_of_files

    # --- runs ---

    def hook_ran(self, hook: Declaration, seconds: float, *, passed: bool) -> None:
        """Note that a hook ran, for the results."""
        self.hook_runs.append(HookRun(hook, seconds, passed))

    def begin_run(self) -> None:
        """A run begins: the names that a failed one had left go away."""
        self.hook_runs.clear()
        self.failure = None
        self.kept_names = None
        self.forget_left_names()

    def keep_names(self) -> None:
        """A test of an inline run has failed: names that its hooks made stay, to be looked at."""
        if not self.headless and self.kept_names is None:
            self.kept_names = {}

    def end_run(self) -> None:
        """A run has ended."""
        for name, value in (self.kept_names or {}).items():
            if name not in self.namespace:
                self.namespace[name] = value
                self._left_names.add(name)
        self.kept_names = None

    def forget_left_names(self) -> None:
        """Drop the names that hooks of a failed run had made."""
        for name in self._left_names:
            self.namespace.pop(name, None)
        self._left_names.clear()

    def reset(self) -> None:
        """Forget all registrations, and the names that a failed run left."""
        self.registry.clear()
        self.last_runs.clear()
        self._cleanups.clear()
        self.forget_left_names()
        self.registry.note_names(self.namespace)

    def hint(self, exc: BaseException) -> str | None:
        """What to try about a name that is missing, if a cell tells."""
        name: Any = getattr(exc, "name", None)
        if isinstance(exc, UnboundLocalError):
            name = name or str(exc).partition("'")[2].partition("'")[0]
            if name in self.namespace:
                return (
                    f"hint: {name} is a name of the notebook, and a test cell's names are its own; "
                    f"write `global {name}` into the cell to change it"
                )
        elif isinstance(exc, NameError) and name:
            for hook in self.registry.hook_cells_of_name(str(name)):
                if name not in self.namespace:
                    return (
                        f"hint: {name} is bound by the {hook.directive.label} in {hook.cell.label}, "
                        f"so it exists only while that {hook.directive.scope} scope is open"
                    )
        elif isinstance(exc, RuntimeError) and str(exc) == "no running event loop":
            return (
                "hint: a cell that awaits runs on the kernel's event loop, any other without a loop; "
                "`await asyncio.sleep(0)` makes it one"
            )
        return None


def last_part(file: str) -> str:
    """The name of a code's file without its folder; it may be no path at all."""
    return re.split(r"[/\\]", file)[-1]
