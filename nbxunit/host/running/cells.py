"""The cells of one notebook, executed one by one, as a module is imported.

A request brings the kernel many of them, and it stops at the first that fails (see `kernel.cells`).
nbclient makes outputs of what they print and show. A cell is broken if it raised, if its reply is an
error without output (an unknown magic), if it ended the kernel, or if it did not raise what its tag
promises.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nbxunit import frames, kernel_folder, protocol
from nbxunit.host import compat, tasks
from nbxunit.host.kernels.client import output_messages, reply_to
from nbxunit.host.kernels.kernel import Kernel
from nbxunit.host.notebooks import files, outputs
from nbxunit.host.records import Broken, Sections, Skipped
from nbxunit.host.running import broken_cells, widgets
from nbxunit.host.running.broken_cells import Names, Place

if TYPE_CHECKING:
    from nbformat import NotebookNode

IOPUB_TIMEOUT = 4.0
"""Seconds to wait for a cell's output after its end."""
REPLY_TIMEOUT = 4.0
"""Seconds to wait for a cell's reply after the end of its output."""
TOGETHER = 50
"""Cells in one request: more would not be faster, and their output has to be read meanwhile."""
SEEN = 10_000
"""Messages of output that are known to have come; a kernel keeps fewer of them in its file."""


@dataclasses.dataclass
class _Batch:
    """The cells of a request, by their indexes in the notebook; the number of the first of them."""

    message_id: str
    cells: list[int]
    first: int
    sent: float = dataclasses.field(default_factory=time.monotonic)
    is_answered: bool = False
    idle: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)


class CellRunner:
    """Executes cells on a kernel; `show` is told what they print.

    `numbered` is told the number of each that has begun. The cell that is `injected` stands in no file, and
    has the number 0.
    """

    def __init__(
        self,
        kernel: Kernel,
        notebook: NotebookNode,
        names: Names,
        show: Callable[[str, str], None] | None,
        numbered: Callable[[NotebookNode, int], None],
        injected: NotebookNode | None = None,
    ) -> None:
        with compat.without_grammar():
            from nbclient import NotebookClient

        self._kernel = kernel
        self._cells = notebook.cells
        self._names = names
        self._client = NotebookClient(
            notebook, km=kernel.manager, timeout=None, record_timing=False, store_widget_state=False
        )
        self._client.reset_execution_trackers()
        self._client.kc = kernel.client
        self._output_widgets = widgets.of(self._client)
        self._last = -1
        self._bounds = outputs.Bounds()
        self._show = show
        self._numbered = numbered
        self._todo = collections.deque(
            index for index, cell in enumerate(notebook.cells) if files.is_executed(cell)
        )
        self._batches: dict[str, _Batch] = {}
        self._with_errors: set[int] = set()  # also such as only a widget shows
        self._seen: collections.deque[str] = collections.deque(maxlen=SEEN)
        self._injected = injected
        self._number = 1
        self.shown: Callable[[str], None] | None = None
        """Told of exceptions that a cell only shows; without it they are errors."""
        self._made = time.monotonic()

    async def run(self) -> Broken | Skipped | None:
        """Execute the cells; what is wrong with the first one that is broken or skips, if one does."""
        async with tasks.running(self._read_output()) as (output,):
            while self._todo:
                broken = await self._next(output)
                if broken is not None:
                    return broken
            return None

    @property
    def is_between(self) -> bool:
        """Whether no cell runs: those of the last request have ended, and their output is read."""
        return not self._batches or next(reversed(self._batches.values())).is_answered

    @property
    def place(self) -> Place | None:
        """The cell that runs, as its kernel tells, or ran last, or is the first; None without cells."""
        for batch in reversed(self._batches.values()):
            return self._place_in(batch)
        return Place(self._cells[self._todo[0]], 1, self._made) if self._todo else None

    def _place_in(self, batch: _Batch) -> Place:
        position, since = 0, batch.sent
        with contextlib.suppress(OSError, protocol.ProtocolError):  # none has begun yet
            told = (self._kernel.folder / kernel_folder.CURRENT_CELL).read_bytes()
            request, at, begun = frames.decode_current(told)
            if request == batch.message_id and 0 <= at < len(batch.cells):
                position, since = at, begun
        return Place(self._cells[batch.cells[position]], batch.first + position, since)

    # --- requests ---

    async def _next(self, output: asyncio.Future[None]) -> Broken | Skipped | None:
        """Execute the next cells, up to one that the kernel stops at, or is to be looked at."""
        try:
            together = list(self._together())
        except files.NotebookError as exc:
            return self.broken(Place(self._cells[self._todo[0]], self._number, 0), str(exc))
        message_id = self._kernel.client.execute_cells([self._order(index) for index in together])
        batch = self._batches[message_id] = _Batch(
            message_id, together, 0 if self._is_injected(together[0]) else self._number
        )
        try:
            reply = await self._reply(batch)
            batch.is_answered = True
            if reply is None:
                text = "the cell ended without a reply; it has broken the kernel"
                return self.broken(self._place_in(batch), text)
            await self._drain(batch, output)
        finally:
            self._tell_numbers(batch)
        begun = max(1, min(int(reply["begun"]), len(together)))
        self._todo.extendleft(reversed(together[begun:]))
        self._number += begun if batch.first else 0
        for number, index in enumerate(together[:begun], batch.first):
            is_last = number == batch.first + begun - 1
            place = Place(self._cells[index], number, batch.sent)
            wrong = broken_cells.wrong(
                self._names, place, reply["reply"] if is_last else {}, self.shown,
                has_raised=index in self._with_errors,
            )  # fmt: skip
            if wrong is not None:
                return wrong
        return None

    def _together(self) -> Iterator[int]:
        """Take the indexes of the cells for one request. NotebookError if the first has wrong tags."""
        for position in range(min(TOGETHER, len(self._todo))):
            cell = self._cells[self._todo[0]]
            tagged = broken_cells.RAISES_TAG in files.tags(cell) or cell is self._injected
            if tagged and position:
                return
            files.check_tags(cell)
            cell.outputs = []
            yield self._todo.popleft()
            if tagged:
                return

    def _order(self, index: int) -> tuple[str, str, bool]:
        cell = self._cells[index]
        if self._is_injected(index):
            return protocol.INJECTED, cell.source, False
        # Cells have ids since nbformat 4.5; two without would take each other's registrations away.
        return cell.get("id") or f"cell {index}", cell.source, not files.tags(cell)

    def _is_injected(self, index: int) -> bool:
        return self._cells[index] is self._injected

    async def _reply(self, batch: _Batch) -> dict[str, Any] | None:
        """The content of the reply; None if none follows the end of the request's output."""
        reply_or_idle = reply_to(self._kernel.client, batch.message_id), batch.idle.wait()
        async with tasks.running(*reply_or_idle) as (reply, idle):
            await tasks.first(reply, idle)
            await tasks.first(reply, timeout=REPLY_TIMEOUT)
            return reply.result() if reply.done() else None

    def _tell_numbers(self, batch: _Batch) -> None:
        """Tell the number of each cell that has begun, however the request has ended."""
        last = self._place_in(batch).number
        for number, index in enumerate(batch.cells, batch.first):
            if number <= last:
                self._numbered(self._cells[index], number)

    # --- output ---

    async def _read_output(self) -> None:
        async for message in output_messages(self._kernel.client):
            self._take(message)

    def recover(self) -> None:
        """Take what a kernel that has died did not come to send."""
        seen = set(self._seen)
        with contextlib.suppress(Exception):  # code in the kernel can remove or damage the file
            for message in outputs.last(self._kernel.folder / kernel_folder.LAST_OUTPUT):
                if message["header"]["msg_id"] not in seen:
                    self._take(message)
        for batch in self._batches.values():
            for index in batch.cells:
                self._complete_output(index)

    def _take(self, message: dict[str, Any]) -> None:
        parent, _, position = message["parent_header"].get("msg_id", "").partition("/")
        batch = self._batches.get(parent)
        if batch is None:
            return
        if message["msg_type"] == "status":
            if message["content"]["execution_state"] == "idle":
                batch.idle.set()
            return
        self._seen.append(message["header"]["msg_id"])
        if message["msg_type"] == "stream" and self._show is not None:
            self._show(message["content"]["name"], message["content"]["text"])
        index = batch.cells[int(position or 0)]
        if message["msg_type"] == "error":
            self._with_errors.add(index)
        bounded = self._bounds.bounded(index, message)
        if bounded is not None:
            if index != self._last:  # what a cell wants cleared are its own outputs
                self._client.clear_before_next_output = False
            self._last = index
            self._process(bounded, index)

    def _process(self, message: dict[str, Any], index: int) -> None:
        """Let nbclient make outputs of a message; a widget that it does not understand is none."""
        try:
            self._client.process_message(message, self._cells[index], index)
        except Exception:
            if not message["msg_type"].startswith("comm_"):
                raise

    async def _drain(self, batch: _Batch, output: asyncio.Future[None]) -> None:
        """Wait for the output of a request that has been answered."""
        if output.done():
            output.result()
        if not batch.idle.is_set():
            # IOPub loses messages, and the last one can be among them.
            async with tasks.running(batch.idle.wait()) as (idle,):
                await tasks.first(idle, timeout=IOPUB_TIMEOUT)
        self._output_widgets.sync()
        for index in batch.cells:
            self._complete_output(index)

    def _complete_output(self, index: int) -> None:
        """Put the ends of long streams behind what was kept of the cell's output."""
        cell = self._cells[index]
        cell.setdefault("outputs", []).extend(
            type(cell)(output) for output in self._bounds.rest(index)
        )

    def broken(
        self, place: Place, text: str, line: int | None = None, sections: Sections = ()
    ) -> Broken:
        """The report of a cell, with all that it had printed, and other `sections`."""
        self._complete_output(
            next(index for index, each in enumerate(self._cells) if each is place.cell)
        )
        return broken_cells.broken(self._names, place, text, line, sections)
