"""The cells of one notebook, executed by nbclient one by one, as a module is imported.

A cell is broken if it raised, if its reply is an error without output (an unknown magic), if it
ended the kernel, or if it did not raise what its tag promises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbxunit import protocol
from nbxunit.host import compat, notebooks
from nbxunit.host.kernels import Kernel
from nbxunit.host.records import Broken

if TYPE_CHECKING:
    from nbformat import NotebookNode

SKIP_TAG = "skip-execution"
RAISES_TAG = "raises-exception"
OUTPUT_LIMIT = 100_000
"""Characters of a broken cell's output that its report carries."""
_PLACE = re.compile(r"Cell In\[(\d+)\], line (\d+)")


class CellRunner:
    """Executes cells on a kernel. `number` is the next cell's, as in `In[number]`."""

    def __init__(
        self,
        kernel: Kernel,
        notebook: NotebookNode,
        name: str,
        show: Callable[[str, str], None] | None,
    ) -> None:
        with compat.without_grammar():
            from nbclient import NotebookClient

        self._kernel = kernel
        self._notebook = notebook
        self._name = name
        self._reply: dict[str, Any] = {}
        self._client = NotebookClient(notebook, km=kernel.manager, timeout=None)
        self._client.kc = kernel.client
        self._client.reset_execution_trackers()
        self._client.on_cell_executed = self._take_reply
        self._show = show
        self.number = 1
        if show is not None:
            client: Any = self._client  # nbclient has no hook for what a cell prints
            client.process_message = self._showing(client.process_message)

    @staticmethod
    def runs(cell: NotebookNode) -> bool:
        """Whether `cell` is executed at all."""
        is_code = cell.cell_type == "code" and cell.source.strip()
        return bool(is_code and SKIP_TAG not in notebooks.tags(cell))

    async def run(self, index: int) -> Broken | None:
        """Execute the cell with this index; what is wrong with it, if anything is."""
        cell = self._notebook.cells[index]
        self._reply = {}
        from nbclient.exceptions import CellExecutionError

        try:
            notebooks.check_tags(cell)
        except notebooks.NotebookError as exc:
            return self.broken(cell, str(exc))
        self._kernel.client.cell_id = cell.get("id")
        try:
            await self._client.async_execute_cell(cell, index)
        except CellExecutionError as exc:
            return self._raised(cell, exc.ename, exc.evalue)
        finally:
            self._kernel.client.cell_id = None
        wrong = self._wrong(cell)
        self.number += 1
        return wrong

    def _wrong(self, cell: NotebookNode) -> Broken | None:
        """What is wrong with a cell that nbclient takes for well."""
        if any(each.get("source") == "ask_exit" for each in self._reply.get("payload") or ()):
            return self.broken(
                cell, "the cell ends the kernel by exit() or quit, so nothing below it runs"
            )
        errors = [output for output in cell.outputs if output.output_type == "error"]
        raised = errors or self._reply.get("status") == "error"
        if RAISES_TAG in notebooks.tags(cell):
            return (
                None
                if raised
                else self.broken(cell, f"the tag {RAISES_TAG} promises an exception, and none came")
            )
        if errors:
            return self._raised(cell, errors[-1].ename, errors[-1].evalue)
        return None

    def _raised(self, cell: NotebookNode, name: str, value: str) -> Broken:
        """The report of a cell that raised: source with the line marked, message, traceback."""
        traceback = self._traceback(cell)
        matches = [match for match in _PLACE.finditer(traceback) if int(match[1]) == self.number]
        line = int(matches[-1][2]) if matches else 1
        shown = _source_around(cell.source, line)
        message = [f"E   {each}" for each in f"{name}: {protocol.clean(value)}".splitlines()]
        text = "\n".join([message[0][4:], "", *shown, *message, "", traceback]).rstrip()
        return self.broken(cell, text, line)

    def _traceback(self, cell: NotebookNode) -> str:
        lines = [
            line
            for output in cell.outputs
            if output.output_type == "error"
            for line in output.traceback
        ]
        return protocol.clean("\n".join(lines or self._reply.get("traceback") or ()))

    def broken(self, cell: NotebookNode, text: str, line: int | None = None) -> Broken:
        """The report of `cell`, with what it had printed."""
        place = f"{self._name} cell {self.number}" + (f", line {line}" if line else "")
        sections = []
        for stream in ("stdout", "stderr"):
            printed = "".join(
                output.text
                for output in cell.get("outputs", ())
                if output.output_type == "stream" and output.name == stream
            )
            if printed.strip():
                sections.append((f"Captured {stream}", protocol.clean(printed[-OUTPUT_LIMIT:])))
        return Broken(text, place, tuple(sections))

    def _take_reply(self, *, execute_reply: dict[str, Any], **_: object) -> None:
        self._reply = execute_reply["content"]

    def _showing(self, process_message: Callable[..., Any]) -> Callable[..., Any]:
        def process(message: dict[str, Any], *args: Any) -> Any:
            if message["msg_type"] == "stream" and self._show is not None:
                self._show(message["content"]["name"], message["content"]["text"])
            return process_message(message, *args)

        return process


def _source_around(source: str, line: int) -> list[str]:
    """The lines up to `line`, which is marked."""
    lines = source.splitlines()
    first = max(0, line - 6)
    return [
        f"{'>' if number == line else ' '}   {text}"
        for number, text in enumerate(lines[first:line], first + 1)
    ]
