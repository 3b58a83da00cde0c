"""The cells that a host sends: many in one request, executed one by one until one fails.

May import pytest. A request for each cell would take longer than most cells. Each is executed as a
request of its own would be: with its own parent message, `In[n]`, events and interrupts; only the
messages that say nothing about it are not sent. A cell that only registers is not even executed.
"""

from __future__ import annotations

import contextlib
import functools
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from unittest import SkipTest

import pytest

from nbxunit import directives, frames, kernel_folder, protocol
from nbxunit.kernel.cells.nesting import left_out
from nbxunit.kernel.cells.notebook import Origin
from nbxunit.kernel.compat import cells_requests, files
from nbxunit.kernel.compat.cells_requests import CellsRequest
from nbxunit.kernel.compat.importing import Importing
from nbxunit.kernel.headless import crash_output
from nbxunit.originals import close, monotonic, write

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook


class Cells:
    """Executes the cells of a notebook; which one runs stands in a file in `folder`.

    `importing` is what surrounds each of them, once the run is prepared.
    """

    def __init__(self, notebook: Notebook, folder: Path, output: crash_output.LastOutput) -> None:
        self._notebook = notebook
        self._output = output
        self.importing: Importing | None = None
        self._current = folder / kernel_folder.CURRENT_CELL
        # Cells may do without (`%autoawait off`), but the run of the tests behind them awaits.
        shell: Any = notebook.shell
        self._autoawait, shell.autoawait = shell.autoawait, True
        # `%run script.py` would only show what the script raises, and the cell would go on without it.
        shell.safe_execfile = functools.partial(_raising, shell.safe_execfile)

    def serve(self) -> None:
        """Execute what requests of the type `protocol.EXECUTE` bring from now on."""
        cells_requests.serve_requests(self._notebook.shell, protocol.EXECUTE, self._execute)

    async def _execute(self, request: CellsRequest) -> None:
        """Execute the cells of `request` until one needs the host's eye; the reply to that one."""
        begun = 1
        reply: dict[str, Any] = {"status": "ok"}
        self._output.begin()
        shell: Any = self._notebook.shell
        try:
            shell.autoawait = self._autoawait
            for begun, (key, source, may_register) in enumerate(request.content["cells"], 1):
                self._tell(request.id, begun - 1)
                if may_register and self._registers(key, source):
                    continue
                with self._counted(key), self._imported():
                    reply = await request.execute(
                        begun - 1, key, source, counts=key != protocol.INJECTED
                    )
                if reply["status"] == "error":
                    reply |= _told_of_error(self._notebook)
                if reply["status"] != "ok" or reply["payload"]:
                    break
            self._autoawait, shell.autoawait = shell.autoawait, True
            self._tell(request.id, begun - 1)  # it has ended: the reply is not of its time
        except KeyboardInterrupt:  # between two cells, or while the output of one is flushed
            reply = {"status": "error", "ename": "KeyboardInterrupt", "evalue": ""}
        except BaseException as exc:  # noqa: BLE001 - the host waits for a reply, whatever it was
            reply = {"status": "error", "ename": type(exc).__name__, "evalue": str(exc)}
        try:
            request.reply(protocol.EXECUTED, {"begun": begun, "reply": reply})
        except Exception as exc:  # noqa: BLE001 - the cell has broken what the kernel speaks with
            crash_output.die(exc)

    def _counted(self, key: str) -> contextlib.AbstractContextManager[None]:
        """Within, a cell that is not the file's has no number of its own."""
        if key != protocol.INJECTED:
            return contextlib.nullcontext()
        return self._notebook.executing(Origin("", key, 0))

    def _imported(self) -> contextlib.AbstractContextManager[None]:
        """Within, a cell runs as a module is imported."""
        return self.importing() if self.importing is not None else contextlib.nullcontext()

    def _tell(self, request: str, position: int) -> None:
        """Let the host know which cell runs, and since when; a message would take longer.

        The file is opened each time, since cells close descriptors that are not theirs.
        """
        descriptor = files.overwritten(self._current)
        try:
            write(descriptor, frames.encode_current(request, position, monotonic()))
        finally:
            close(descriptor)

    def _registers(self, key: str, source: str) -> bool:
        """Whether the cell only registers, and has done so, as an execution of it would.

        If it cannot, it is executed, and says what is wrong with it.
        """
        found = directives.find(source)
        if found is None:
            return False
        kind, line, index = found
        body = "".join(re.split(r"(?<=\n)", source)[index + 1 :])
        try:
            with self._notebook.registering(source, key):
                self._notebook.shell.run_cell_magic(f"xunit_{kind}", line, body)
        except Exception:  # noqa: BLE001 - it comes again
            return False
        return True


def _told_of_error(notebook: Notebook) -> dict[str, object]:
    """What the host is told of the exception of the cell that has run: its line, and whether it skips."""
    result = cast("Any", notebook.shell).last_execution_result
    error = result.error_before_exec or result.error_in_exec
    line = _line(notebook, error) if error is not None else None
    return ({protocol.LINE: line} if line else {}) | (
        {protocol.SKIP: str(error)} if _is_skip(error) else {}
    )


def _line(notebook: Notebook, error: BaseException) -> int | None:
    """The innermost line of the cell that has run on the way to its exception."""
    places = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError):
        places.append((str(error.filename), error.lineno or 0))
    lines = [
        line + left_out(cell)
        for file, line in places
        if (cell := notebook.cell_of_file(file)) is not None and cell.key == notebook.cell.key
    ]
    return lines[-1] if lines else None


def _is_skip(error: BaseException | None) -> bool:
    """Whether the cell that raised skips its notebook, as a module is skipped in pytest.

    By `pytest.skip(..., allow_module_level=True)`, `pytest.importorskip` or unittest's SkipTest.
    """
    return isinstance(error, SkipTest) or (
        isinstance(error, pytest.skip.Exception) and error.allow_module_level
    )


def _raising(execfile: Callable[..., None], *args: Any, **kwargs: Any) -> None:
    """Execute a file; what it raises is raised, but for an exit that `%run -e` ignores."""
    try:
        execfile(*args, **{**kwargs, "raise_exceptions": True})
    except SystemExit:
        if not kwargs.get("exit_ignore"):
            raise
