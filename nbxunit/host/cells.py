"""The cells of one notebook, executed one by one, as a module is imported.

nbclient makes outputs of what they print and show. A cell is broken if it raised, if its reply is an
error without output (an unknown magic), if it ended the kernel, or if it did not raise what its tag
promises.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbxunit import directives, protocol
from nbxunit.host import compat, notebooks
from nbxunit.host.client import call, reply_to
from nbxunit.host.kernels import Kernel
from nbxunit.host.outputs import Bounds
from nbxunit.host.records import Broken, Sections

if TYPE_CHECKING:
    from nbformat import NotebookNode

SKIP_TAG = "skip-execution"
RAISES_TAG = "raises-exception"
OUTPUT_LIMIT = 100_000
"""Characters of a broken cell's output that its report carries."""
IOPUB_TIMEOUT = 4.0
"""Seconds to wait for a cell's output after its end."""
REPLY_TIMEOUT = 4.0
"""Seconds to wait for a cell's reply after the end of its output."""
AHEAD = 2
"""Requests that the kernel has at once: the next one is there when one ends."""
_UNSEEN = re.compile(r"[%!?]|\b(?:exit|quit|get_ipython)\b")
"""What can break a cell although its reply is ok: a magic that shows what it caught, an exit."""
_PLACE = re.compile(r"Cell In\[(\d+)\], line (\d+)")


@dataclasses.dataclass
class _Request:
    """An execute request that has been sent, for one cell, or for cells that only register."""

    message_id: str
    cells: list[int]
    registers: bool
    idle: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)


class CellRunner:
    """Executes cells on a kernel; `begin` is told what each is, `show` what it prints.

    `numbered` is told the number of each cell, as in `In[number]`. `number` is the current cell's,
    `cell` the cell, and `since` when it began.
    """

    def __init__(
        self,
        kernel: Kernel,
        notebook: NotebookNode,
        name: str,
        begin: Callable[[str], None],
        show: Callable[[str, str], None] | None,
        numbered: Callable[[NotebookNode, int], None],
    ) -> None:
        with compat.without_grammar():
            from nbclient import NotebookClient
            from nbclient.exceptions import CellExecutionComplete

        self._complete = CellExecutionComplete
        self._kernel = kernel
        self._cells = notebook.cells
        self._name = name
        self._client = NotebookClient(
            notebook, km=kernel.manager, timeout=None, record_timing=False
        )
        self._client.reset_execution_trackers()
        self._bounds = Bounds()
        self._begin = begin
        self._show = show
        self._numbered = numbered
        self._todo = collections.deque(filter(self._runs, range(len(notebook.cells))))
        self._sent: collections.deque[_Request] = collections.deque()
        self._requests: dict[str, _Request] = {}
        self._alone: int | None = None
        self._reply: dict[str, Any] = {}
        self.number = 1
        self.cell: NotebookNode | None = None
        self.since = time.monotonic()

    def _runs(self, index: int) -> bool:
        cell = self._cells[index]
        is_code = cell.cell_type == "code" and cell.source.strip()
        return bool(is_code and SKIP_TAG not in notebooks.tags(cell))

    async def run(self) -> Broken | None:
        """Execute the cells; what is wrong with the first one that is broken, if one is."""
        output = asyncio.ensure_future(self._read_output())
        try:
            while self._todo or self._sent:
                broken = self._send_ahead() or await self._next(output)
                if broken is not None:
                    return broken
            return None
        finally:
            output.cancel()
            await asyncio.gather(output, return_exceptions=True)

    # --- requests ---

    def _send_ahead(self) -> Broken | None:
        """Send what may be sent before the last reply."""
        while self._todo and len(self._sent) < AHEAD and self._may_follow():
            cell = self._cells[self._todo[0]]
            try:
                notebooks.check_tags(cell)
            except notebooks.NotebookError as exc:
                if self._sent:
                    return None
                return self.broken(cell, str(exc))
            self._send()
        return None

    def _may_follow(self) -> bool:
        """Whether the kernel itself knows when what was sent last is broken (see `bar`)."""
        if not self._sent:
            return True
        last = self._sent[-1]
        cell = self._cells[last.cells[-1]]
        return not (
            last.registers or RAISES_TAG in notebooks.tags(cell) or _UNSEEN.search(cell.source)
        )

    def _send(self) -> None:
        together = []
        while self._todo and self._registers(self._todo[0]):
            together.append(self._todo.popleft())
        client = self._kernel.client
        if len(together) > 1:
            sources = [
                (self._cells[index].get("id"), self._cells[index].source) for index in together
            ]
            message_id = client.execute(
                "", silent=True, user_expressions={"count": call("register", sources)}
            )
            request = _Request(message_id, together, registers=True)
        else:
            index = together[0] if together else self._todo.popleft()
            cell = self._cells[index]
            cell.outputs = []
            message_id = client.execute(
                cell.source,
                stop_on_error=RAISES_TAG not in notebooks.tags(cell),
                metadata={"cellId": cell.get("id"), "nbxunitAhead": bool(self._sent)},
            )
            request = _Request(message_id, [index], registers=False)
        self._sent.append(request)
        self._requests[message_id] = request

    def _registers(self, index: int) -> bool:
        cell = self._cells[index]
        return bool(
            index != self._alone and cell.get("id") and directives.find(cell.source)
            and not notebooks.tags(cell)
        )  # fmt: skip

    async def _next(self, output: asyncio.Future[None]) -> Broken | None:
        """Wait for the first request that was sent."""
        request = self._sent[0]
        self.cell, self.since = self._cells[request.cells[0]], time.monotonic()
        last = self.number + len(request.cells) - 1
        self._begin(
            f"cell {self.number}" if not request.registers else f"cells {self.number} to {last}"
        )
        for number, index in enumerate(request.cells, self.number):
            self._numbered(self._cells[index], number)
        if not await self._replied(request):
            return self.broken(
                self.cell, "the cell ended without a reply; it has broken the kernel"
            )
        await self._drain(request, output)
        self._sent.popleft()
        if request.registers:
            self._take_registered(request)
            return None
        wrong = self._wrong(self.cell)
        self.number += 1
        return wrong

    async def _replied(self, request: _Request) -> bool:
        """Wait for the reply; False if none follows the end of the request's output."""
        reply = asyncio.ensure_future(reply_to(self._kernel.client, request.message_id))
        idle = asyncio.ensure_future(request.idle.wait())
        try:
            await asyncio.wait({reply, idle}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reply}, timeout=REPLY_TIMEOUT)
            if reply.done():
                self._reply = reply.result()
            return reply.done()
        finally:
            for task in (reply, idle):
                task.cancel()
            await asyncio.gather(reply, idle, return_exceptions=True)

    def _take_registered(self, request: _Request) -> None:
        """Count the cells that were registered; the one behind them is to say what is wrong."""
        value = self._reply.get("user_expressions", {}).get("count", {})
        count = int(value["data"]["text/plain"]) if value.get("status") == "ok" else 0
        self.number += count
        left = request.cells[count:]
        self._todo.extendleft(reversed(left))
        self._alone = left[0] if left else None

    # --- output ---

    async def _read_output(self) -> None:
        channel = self._kernel.client.iopub_channel
        while True:
            message = await channel.get_msg(timeout=None)
            request = self._requests.get(message["parent_header"].get("msg_id", ""))
            if request is None:
                continue
            if message["msg_type"] == "stream" and self._show is not None:
                self._show(message["content"]["name"], message["content"]["text"])
            index = request.cells[0]
            bounded = self._bounds.bounded(index, message)
            if bounded is None:
                continue
            self._client.clear_before_next_output = False
            try:
                self._client.process_message(bounded, self._cells[index], index)
            except self._complete:
                request.idle.set()

    async def _drain(self, request: _Request, output: asyncio.Future[None]) -> None:
        """Wait for the output of a request that has been answered."""
        if output.done():
            output.result()
        if not request.idle.is_set():
            # IOPub loses messages, and the last one can be among them.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IOPUB_TIMEOUT):
                    await request.idle.wait()
        self._complete_output(request.cells[0])

    def _complete_output(self, index: int) -> None:
        """Put the ends of long streams behind what was kept of the cell's output."""
        cell = self._cells[index]
        cell.setdefault("outputs", []).extend(
            type(cell)(output) for output in self._bounds.rest(index)
        )

    # --- what is wrong ---

    def _wrong(self, cell: NotebookNode) -> Broken | None:
        """What is wrong with a cell that has been executed, if anything is."""
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if any(each.get("source") == "ask_exit" for each in self._reply.get("payload") or ()):
            return self.broken(
                cell, "the cell ends the kernel by exit() or quit, so nothing below it runs"
            )
        raised = errors or self._reply.get("status") == "error"
        if RAISES_TAG in notebooks.tags(cell):
            return (
                None
                if raised
                else self.broken(cell, f"the tag {RAISES_TAG} promises an exception, and none came")
            )
        if errors:
            return self._raised(cell, errors[-1].ename, errors[-1].evalue)
        if raised:
            return self._raised(cell, self._reply.get("ename", ""), self._reply.get("evalue", ""))
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

    def broken(
        self, cell: NotebookNode, text: str, line: int | None = None, sections: Sections = ()
    ) -> Broken:
        """The report of `cell`, with what it had printed, and other `sections`."""
        self._complete_output(next(at for at, each in enumerate(self._cells) if each is cell))
        place = f"{self._name} cell {self.number}" + (f", line {line}" if line else "")
        printed_sections = []
        for stream in ("stdout", "stderr"):
            printed = "".join(
                output.text
                for output in cell.get("outputs", ())
                if output.output_type == "stream" and output.name == stream
            )
            if printed.strip():
                printed_sections.append(
                    (f"Captured {stream}", protocol.clean(printed[-OUTPUT_LIMIT:]))
                )
        return Broken(text, place, (*printed_sections, *sections))


def _source_around(source: str, line: int) -> list[str]:
    """The lines up to `line`, which is marked."""
    lines = source.splitlines()
    first = max(0, line - 6)
    return [
        f"{'>' if number == line else ' '}   {text}"
        for number, text in enumerate(lines[first:line], first + 1)
    ]
