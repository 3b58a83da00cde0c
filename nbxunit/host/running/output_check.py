"""The stored outputs of a notebook, kept before its cells run, and compared with the new ones behind them.

Imports the standard library and what both sides share.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbxunit.host import compat
from nbxunit.host.comparing import markers, show
from nbxunit.host.comparing.compare import compare
from nbxunit.host.comparing.sanitise import Rule
from nbxunit.host.comparing.update import updated
from nbxunit.host.notebooks import saving
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.records import Broken, CellCompared, Checking, Skipped

if TYPE_CHECKING:
    from nbformat import NotebookNode


class OutputCheck:
    """The check of one notebook, made before its cells run: from then on nbval's words count as Jupyter's."""

    def __init__(self, notebook: NotebookNode, path: Path, checking: Checking) -> None:
        self._path = path
        self._checking = checking
        self._rules = [Rule(re.compile(pattern), text) for pattern, text in checking.rules]
        self._cells = list(notebook.cells)
        self._counts = {
            index: cell.get("execution_count") for index, cell in enumerate(self._cells)
        }
        self._names = {index: (number, name) for index, number, name in markers.names(self._cells)}
        self._deselected: list[str] = []
        self._stored = {
            index: copy.deepcopy(self._cells[index].outputs)
            for index, (_, name) in self._names.items()
            if markers.is_compared(self._cells[index])
            and (checking.names is None or name in checking.names)
            and self._is_selected(name)
        }
        self.deselected = tuple(self._deselected)
        self._tags = {index: self._as_jupyters(cell) for index, cell in enumerate(self._cells)}

    def _is_selected(self, name: str) -> bool:
        """Whether `-k` and `-m` select a cell."""
        names = (name, *self._path.parts)
        selected = compat.is_selected(names, self._checking.keyword, self._checking.marks)
        self._deselected += [] if selected else [name]
        return selected

    @staticmethod
    def _as_jupyters(cell: Any) -> Any:
        """Let Jupyter's tags say what nbval's tags and comments do; the cell's own tags."""
        before = copy.deepcopy(cell.metadata.get("tags"))
        if cell.cell_type == "code":
            said = markers.markers(cell) & set(markers.JUPYTERS)
            tags = [*(before or ()), *(markers.JUPYTERS[each] for each in said)]
            if said:
                cell.metadata["tags"] = list(dict.fromkeys(tags))
        return before

    def restore_tags(self) -> None:
        """Give the cells their own tags again."""
        for index, tags in self._tags.items():
            if tags is None:
                self._cells[index].metadata.pop("tags", None)
            else:
                self._cells[index].metadata["tags"] = tags

    def results(
        self, ended: Broken | Skipped | None, last: NotebookNode | None
    ) -> Iterator[CellCompared]:
        """What came of each cell that is compared; `last` is the cell that ran last, where a run `ended` early."""
        at = next((i for i, cell in enumerate(self._cells) if cell is last), len(self._cells))
        for index in self._stored:
            number, name = self._names[index]
            start = time.monotonic()
            if ended is None or index < at:
                text, pairs = self._difference(index)
                is_updated = bool(text) and self._checking.update and ended is None
                outcome = "failed" if text and not is_updated else "passed"
                seconds = time.monotonic() - start
                yield CellCompared(name, number, outcome, text, pairs, seconds, updated=is_updated)
            elif isinstance(ended, Skipped):
                yield CellCompared(name, number, "skipped", str(ended))
            else:
                text = str(ended) if index == at else f"not run: {str(ended).partition(chr(10))[0]}"
                yield CellCompared(name, number, "error", text)

    def covers(self, cell: NotebookNode | None) -> bool:
        """Whether a cell is one of those that are compared."""
        return any(self._cells[index] is cell for index in self._stored)

    def _difference(self, index: int) -> tuple[str, tuple[tuple[str, str, str], ...]]:
        number, _ = self._names[index]
        new = self._cells[index].outputs
        found = compare(self._stored[index], new, self._rules)
        if found is None:
            return "", ()
        shown = show.text(self._stored[index], new, self._rules)
        head = f"{self._path.name} cell {number}: not as stored: "
        hint = "if the new output is right, --update-outputs writes it into the notebook"
        return "\n\n".join([head + "; ".join(found.reasons), shown, hint]), found.images

    def update(self, results: list[CellCompared]) -> None:
        """Write the outputs of the cells that differ into the notebook's file. NotebookError."""
        numbers = {result.number for result in results if result.updated}
        outputs = {
            index: [self._with_count(output, index) for output in self._cells[index].outputs]
            for index in self._stored
            if self._names[index][0] in numbers
        }
        if not outputs:
            return
        try:
            text = self._path.read_bytes().decode("utf-8")
            data = updated(text, outputs).encode()
            saving.replace(self._path, [data], mode_of=self._path)
        except (OSError, ValueError, LookupError) as exc:
            raise NotebookError(f"{self._path.name} cannot be updated: {exc}") from exc

    def _with_count(self, output: Any, index: int) -> dict[str, Any]:
        """An output with the number that the stored cell has: it says nothing of the output."""
        changed = dict(output)
        if "execution_count" in changed:
            changed["execution_count"] = self._counts[index]
        return changed
