"""The cells of a companion's notebook, executed one by one in a namespace of their own.

May import IPython. A cell runs on the kernel's event loop, as it does for a person; what it raises is raised
here, and its frames are those of the cell.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbxunit import originals
from nbxunit.kernel.cells.notebook import Notebook, Origin
from nbxunit.kernel.companion.document import RAISES_TAG, CodeCell, Document
from nbxunit.kernel.companion.outputs import Outputs


class Watch:
    """Is told of each cell that a companion executes, as in `sales.ipynb cell 3`."""

    def begins(self, cell: str) -> None:
        """The cell is about to run."""

    def ended(self, error: BaseException | None) -> BaseException | None:
        """The cell has ended, with `error` if it raised one; what it is to raise."""
        return error


class NothingRaised(AssertionError):
    """A cell did not raise, although its tag `raises-exception` promises it."""

    __module__ = "nbxunit"


@dataclasses.dataclass
class Ran:
    """What came of a cell when it ran last: `result` is its value, `seconds` the time it took."""

    outputs: Outputs
    result: object = None
    seconds: float = 0.0
    error: BaseException | None = None


class Execution:
    """Executes cells of `document`; `watch` is told of each.

    `label` is how reports name the notebook.
    """

    def __init__(self, notebook: Notebook, document: Document, label: str, watch: Watch) -> None:
        self._notebook = notebook
        self._shell: Any = notebook.shell
        self._watch = watch
        self.document = document
        self.label = label
        self.ran: dict[int, Ran] = {}

    async def run(self, cells: Iterable[CodeCell], *, strict: bool = False) -> None:
        """Execute the cells in order; what the first one raises that fails.

        With `strict`, what a cell raises is raised also where its tag promises it.
        """
        __tracebackhide__ = True
        for cell in cells:
            await self._run_cell(cell, may_raise=RAISES_TAG in cell.tags and not strict)

    async def _run_cell(self, cell: CodeCell, *, may_raise: bool) -> None:
        __tracebackhide__ = True
        outputs = Outputs()
        ran = self.ran[cell.number] = Ran(outputs)
        self._shell.execution_count = cell.number
        place = cell.place(self.label)
        self._watch.begins(place)
        key = f"{self.document.path} {cell.id or cell.number}"
        start = originals.perf_counter()
        try:
            with (
                self._notebook.executing(Origin(self.label, key, cell.number, cell.first_line)),
                outputs.taking(self._shell, cell.number),
            ):
                ran.error = await self._execute(cell, ran)
        finally:
            ran.seconds = originals.perf_counter() - start
            ran.error = self._watch.ended(ran.error)
        if ran.error is None:
            if may_raise:
                raise NothingRaised(f"{place}: its tag {RAISES_TAG} promises an exception, and none came")  # fmt: skip
            return
        outputs.error(ran.error, self._traceback(ran.error))
        if not may_raise or not isinstance(ran.error, Exception):
            raise ran.error.with_traceback(self._frames_of_cells(ran.error))

    async def _execute(self, cell: CodeCell, ran: Ran) -> BaseException | None:
        """Run the cell as the kernel would for a request; what it has raised."""
        shell = self._shell
        transformed, failed = cell.source, None
        try:
            transformed = shell.transform_cell(cell.source)
        except Exception:  # noqa: BLE001 - a transformer of the user's; IPython shows it
            failed = sys.exc_info()
        result = None
        try:
            result = await shell.run_cell_async(
                cell.source, store_history=True, transformed_cell=transformed,
                preprocessing_exc_tuple=failed,
            )  # fmt: skip
        except BaseException as exc:  # noqa: BLE001 - while tests run, what the shell shows is raised
            return exc
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
        ran.result = result.result
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error

    def _frames_of_cells(self, exc: BaseException) -> Any:
        """The traceback from the first frame of a cell on; whole where there is none."""
        traceback = exc.__traceback__
        while traceback is not None:
            if self._notebook.cell_of_file(traceback.tb_frame.f_code.co_filename) is not None:
                return traceback
            traceback = traceback.tb_next
        return None if isinstance(exc, SyntaxError) else exc.__traceback__

    def _traceback(self, exc: BaseException) -> list[str]:
        """The lines that IPython would show."""
        try:
            lines = self._shell.InteractiveTB.structured_traceback(
                type(exc), exc, self._frames_of_cells(exc)
            )
        except Exception:  # noqa: BLE001 - the exception is the user's own code
            return [f"{type(exc).__name__}"]
        return [str(line) for line in lines]

    def executed(self) -> dict[str, Any]:
        """The notebook's content with the outputs of the cells that ran, as it is saved."""
        content = {**self.document.content, "cells": [*self.document.content["cells"]]}
        by_position = {cell.position: cell.number for cell in self.document.cells}
        for position, cell in enumerate(content["cells"]):
            if cell["cell_type"] == "code":
                ran = self.ran.get(by_position.get(position, -1))
                content["cells"][position] = {
                    **cell,
                    "execution_count": by_position[position] if ran else None,
                    "outputs": ran.outputs.items if ran else [],
                }
        return content


def label_of(path: Path, root: Path) -> str:
    """How reports name a notebook: its path below `root`, else as it is."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
