"""What a test sees of its notebook: names as attributes, cells, and ways to run them.

Imports the standard library.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from nbxunit.kernel.companion.document import CellName, CodeCell
from nbxunit.kernel.companion.execution import Execution, Ran
from nbxunit.kernel.lifecycle import bridge
from nbxunit.kernel.results.model import Display

__tracebackhide__ = True
"""What is wrong is in the test that calls; pytest shows no frame of this module."""
_LAZY_IMPORT: Any = getattr(types, "LazyImportType", ())
"""What a lazy import binds (Python 3.15) until code uses the name; a look into the namespace is no use."""


class ExecutedCell:
    """A code cell, and what came of it when it ran last.

    `outputs` are as in nbformat 4, `text` is what it printed and its result as text, `result` the very
    object, `displays` what it displayed, `seconds` the time it took; of a cell that has not run they are
    empty.
    """

    def __init__(self, cell: CodeCell, ran: Ran | None) -> None:
        self.number = cell.number
        self.id = cell.id
        self.source = cell.source
        self.tags = cell.tags
        self.has_run = ran is not None
        self.outputs: list[dict[str, Any]] = ran.outputs.items if ran else []
        self.text = ran.outputs.text if ran else ""
        self.displays: list[Display] = ran.outputs.displays if ran else []
        self.result = ran.result if ran else None
        self.seconds = ran.seconds if ran else 0.0

    def __repr__(self) -> str:
        first = self.source.strip().partition("\n")[0]
        return f"<cell {self.number}: {first}>"


class CompanionNotebook:
    """A notebook in its tests: `notebook.total` is the name `total` of the notebook, the very object.

    Names can be set and deleted, also by `monkeypatch` and `mock.patch.object`; the notebook's functions
    see that. A name of the notebook that is one of ours, such as `run`, is reached by
    `notebook["run"]`.
    """

    __slots__ = ("_execution", "_names")

    def __init__(self, execution: Execution, names: MutableMapping[str, Any]) -> None:
        object.__setattr__(self, "_execution", execution)
        object.__setattr__(self, "_names", names)

    @property
    def __dict__(self) -> MutableMapping[str, Any]:  # type: ignore[override]
        """The notebook's names: monkeypatch and mock look here for what they put back."""
        names: MutableMapping[str, Any] = self._names
        return names

    # --- cells ---

    @property
    def path(self) -> Path:
        """The notebook's file."""
        path: Path = self._execution.document.path
        return path

    @property
    def cells(self) -> list[ExecutedCell]:
        """The code cells, in order, numbered from 1 as in reports."""
        return [self._cell(cell) for cell in self._execution.document.cells]

    def cell(self, name: CellName) -> ExecutedCell:
        """The cell with this tag, id or number. DocumentError if there is none, or more than one."""
        return self._cell(self._execution.document.find(name))

    def _cell(self, cell: CodeCell) -> ExecutedCell:
        return ExecutedCell(cell, self._execution.ran.get(cell.number))

    def run(
        self, *names: CellName, until: CellName | None = None, after: CellName | None = None
    ) -> None:
        """Execute the named cells; else all, or those up to `until` (included) and behind `after`.

        A cell is named by a tag, its id or its number. What a cell raises is raised here, but for one that
        is not named and has the tag `raises-exception`. RuntimeError in a test that awaits, where
        `run_async` is the way.
        """
        chosen = self._execution.document.select(names, until, after)
        if not bridge.available():
            raise RuntimeError(
                "notebook.run() cannot run cells here, since an event loop runs or greenlet is not "
                "installed; in a test that awaits, write: await notebook.run_async(...)"
            )
        bridge.wait(self._execution.run(chosen, strict=bool(names)))

    async def run_async(
        self, *names: CellName, until: CellName | None = None, after: CellName | None = None
    ) -> None:
        """`run` for tests that await."""
        chosen = self._execution.document.select(names, until, after)
        await self._execution.run(chosen, strict=bool(names))

    # --- names ---

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(self._missing(name))
        return _imported(self._names[name])

    def __setitem__(self, name: str, value: object) -> None:
        self._names[name] = value

    def __delitem__(self, name: str) -> None:
        if name not in self._names:
            raise KeyError(self._missing(name))
        del self._names[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(self._missing(name), name=name, obj=self)
        return _imported(self._names[name])

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f'{name} is ours; set the notebook\'s name by notebook["{name}"]')
        self._names[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._names:
            raise AttributeError(self._missing(name), name=name, obj=self)
        del self._names[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._names})

    def __repr__(self) -> str:
        return f"<notebook {self._execution.label}>"

    def _missing(self, name: str) -> str:
        near = difflib.get_close_matches(name, [each for each in self._names if each[:1] != "_"], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        left = [
            cell
            for cell in self._execution.document.cells
            if cell.number not in self._execution.ran
        ]
        if not hint and left:
            hint = f"; {len(left)} of its cells have not run"
        return f"{self._execution.label} has no name {name!r}{hint}"


def _imported(value: Any) -> Any:
    """The value of a name, imported now if it was to be imported at its first use."""
    return value.resolve() if isinstance(value, _LAZY_IMPORT) else value
