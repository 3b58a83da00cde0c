"""The one execute request in which all tests of a notebook run, and the wire's end on the host.

Runs on the loop of `local`. Frames of events come as input requests on the stdin channel, and
are answered at once; output comes over IOPub.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nbxunit import frames, kernel_folder, protocol
from nbxunit.host import tasks
from nbxunit.host.kernels import hang_report
from nbxunit.host.kernels.client import call, reply_to
from nbxunit.host.kernels.kernel import Kernel, KernelDied
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.records import Job, Question, Sections
from nbxunit.host.running import kernel_files
from nbxunit.host.running.control import GRACE, Control
from nbxunit.host.running.journal import Journal
from nbxunit.host.running.live_output import LiveOutput

TICK = 0.1
"""Seconds between two looks at what is running."""
AT_ONCE = 500
"""Events that are told together: a frame may have many thousands."""


class TestRun:
    """The one execute request in which all tests run; its events come over the stdin channel."""

    __test__ = False

    def __init__(
        self, job: Job, control: Control, kernel: Kernel, emit: Callable[..., None]
    ) -> None:
        self._job = job
        self._control = control
        self._kernel = kernel
        self._emit = emit
        self._nonce = secrets.token_hex(16)
        self._reader = frames.FrameReader(self._nonce)
        self._order = frames.Order()
        self._journal = Journal(kernel.journal)
        self._output = LiveOutput(kernel.client, self._nonce, emit if job.live_output else None)
        self._ended = False
        self._running: tuple[str, float] | None = None
        self._killed = ""
        self._stacks: Sections = ()
        self._late: str | None = None
        self._executed: tuple[tuple[str, int], float] = ("", 0), 0.0

    async def run(self, deadline: float | None = None) -> None:
        """Run the tests, by `deadline` at the latest; KernelDied or NotebookError if they can't end."""
        order = {
            "nonce": self._nonce,
            "saves": self._job.save is not None and not self._job.companion,
            "images": self._job.images,
            "journal": str(self._kernel.journal),
        }
        client = self._kernel.client
        limit = self._job.cell_timeout if self._job.companion else None
        message_id = client.execute_silently(call("run", order), allow_stdin=True)
        reply_and_events = reply_to(client, message_id), self._read_frames(), self._kernel.died()
        meanwhile = (
            self._output.read(message_id),
            self._watch(self._now_running, self._job.test_timeout),
            *([self._watch(self._now_executed, limit)] if limit is not None else ()),
            self._stop_soon(),
            self._end_at(deadline),
            self._tell_ahead(),
        )
        with self._journal.open():
            async with tasks.running(*reply_and_events, *meanwhile) as (reply, frames, death, *_):
                await tasks.first(reply, frames, death)
                self._conclude(reply, frames, death)

    def _conclude(
        self, reply: asyncio.Future[Any], frames: asyncio.Future[Any], death: asyncio.Future[Any]
    ) -> None:
        if self._ended:
            if self._killed and not death.done():
                raise KernelDied(self._killed, self._stacks, torn_down=True)
            return
        self._read_journal()
        if frames.done() and (damage := frames.exception()) is not None:
            raise NotebookError(
                f"the kernel's events are damaged: {damage}{self._where()}"
            ) from damage
        if death.done():
            if self._control.stop.is_set():
                self._killed = (
                    self._killed or "the run was to end at once, so its kernel was killed"
                )
            if not self._killed:
                died = death.result()
                in_cell = (
                    f"\nin {cell}" if (cell := kernel_files.companion_cell(self._kernel)) else ""
                )
                raise KernelDied(f"{died}{in_cell}", died.sections, torn_down=died.torn_down)
            raise KernelDied(self._killed, (*self._stacks, *self._kernel.printed()))
        if self._killed:
            raise KernelDied(self._killed, self._stacks)
        content = reply.result()
        what = "it ended without its last event; a cell may have changed how IPython runs code"
        if content.get("ename"):
            what = f"{content['ename']}: {content.get('evalue')}"
        raise NotebookError(f"the run failed in the kernel: {what}{self._where()}")

    def _doing(self, nodeid: str) -> str:
        """What runs: a test, and the cell of a notebook that it executes."""
        cell = kernel_files.companion_cell(self._kernel)
        return f"{nodeid}, in {cell}" if cell else nodeid

    def _where(self) -> str:
        """Where a run was that is over before its end."""
        if self._running is None:
            return ""
        return f"\nwhile it ran {self._running[0]}; the tests behind it did not run"

    # --- events ---

    async def _read_frames(self) -> None:
        client = self._kernel.client
        while not self._ended:
            message = await client.stdin_channel.get_msg(timeout=None)
            prompt = str(message["content"].get("prompt", ""))
            if not prompt.startswith(frames.PROMPT):
                if not self._job.options.get("usepdb"):
                    raise protocol.ProtocolError("a question, which only --pdb asks")
                self._emit(Question(prompt))
                continue
            number, events = self._reader.read(prompt)
            if events is None:
                continue
            events = itertools.islice(events, self._journal.framed(), None)
            if self._job.live_output:
                await self._output.drained(number)
            if number == 1:  # which version speaks is to be known before a test runs
                self._take(events)
            client.input(protocol.encode_answer(self._control.answer(number)))
            self._take(events)  # those that are left; the kernel need not wait for that

    def _take(self, events: Iterable[protocol.Event]) -> None:
        """Note and tell events, some at a time, up to one that is out of order."""
        noted: list[protocol.Event] = []
        try:
            for event in events:
                self._note(event)
                noted.append(event)
                if len(noted) == AT_ONCE:
                    self._emit(*self._told(noted))
                    noted.clear()
        finally:
            self._emit(*self._told(noted))

    def _note(self, event: protocol.Event) -> None:
        self._order.check(event)
        if isinstance(event, protocol.Started):
            self._running = (event.nodeid, time.monotonic())
            self._control.doing = functools.partial(self._doing, event.nodeid)
        elif isinstance(event, protocol.Finished):
            self._running = None
        elif isinstance(event, protocol.Reported):
            self._explain(event.report)
        elif isinstance(event, protocol.Ended):
            self._ended = True

    def _told(self, events: Iterable[protocol.Event]) -> Iterator[protocol.Event]:
        """Those of `events` that are to be told: the end of a run that was cut short is told otherwise."""
        for kind, some in itertools.groupby(events, type):
            if kind is protocol.Repeated:
                changes = (each.changes for each in some if isinstance(each, protocol.Repeated))
                yield protocol.Repeated(tuple(itertools.chain.from_iterable(changes)))
            elif not (self._killed and kind is protocol.Ended):
                yield from some

    def _explain(self, report: dict[str, Any]) -> None:
        """Add what ran when the time was over to the report of the test that failed by it."""
        is_late = self._late is not None and report.get("nodeid") == self._late
        if is_late and not self._killed and report.get("outcome") == "failed":
            stacks = hang_report.last_stacks(self._kernel)
            report["sections"] = [*report.get("sections", ()), *stacks]
            self._late = None

    async def _tell_ahead(self) -> None:
        """Take events that are not sent yet, where a host on another machine can not read them later."""
        while self._job.told_ahead:
            await asyncio.sleep(TICK)
            self._read_journal()

    def _read_journal(self) -> None:
        """Take the events that a dead kernel could not send any more."""
        for line in self._journal.ahead(self._reader.number):
            with contextlib.suppress(protocol.ProtocolError):
                event = protocol.decode(line)
                self._note(event)
                self._emit(event)

    # --- time ---

    async def _watch(
        self, now_running: Callable[[], tuple[str | None, float]], limit: float | None
    ) -> None:
        """Ask what takes longer than `limit` where it is, interrupt it, and kill the kernel if it stays."""
        asked: str | None = None
        interrupted_at: float | None = None
        reaction = kernel_files.changed(self._kernel, kernel_folder.REACTED)
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            running, since = now_running()
            if limit is None:
                continue
            before, reaction = reaction, kernel_files.changed(self._kernel, kernel_folder.REACTED)
            if running is None:
                asked = None
            elif reaction != before:
                # It has failed for its time, and what is left of the test has as long again.
                asked = None
                if self._running is not None:
                    self._running = (self._running[0], now)
            elif asked != running:
                asked = interrupted_at = None
                if now - since > limit:
                    asked, self._late = running, self._running and self._running[0]
                    self._stacks = await hang_report.stacks(self._kernel)
            elif interrupted_at is None:
                # Not before: the signal that asked can have ended what it waited for.
                kernel_files.name_timed_out(self._kernel, running)
                await self._kernel.interrupt()
                interrupted_at = time.monotonic()
            elif now - interrupted_at > GRACE:
                self._killed = (
                    f"{running} took longer than {limit:g} s and did not react to an interrupt, "
                    "so the kernel was killed"
                )
                await self._kernel.kill()
                return

    def _now_running(self) -> tuple[str | None, float]:
        """The test that runs and since when: the journal knows of starts that were not sent yet."""
        edge = self._journal.last_edge(self._reader.number)
        if isinstance(edge, protocol.Finished):
            self._running = None
        elif edge is not None and (self._running is None or self._running[0] != edge.nodeid):
            self._running = (edge.nodeid, time.monotonic())
            self._control.doing = functools.partial(self._doing, edge.nodeid)
        return self._running or (None, 0.0)

    def _now_executed(self) -> tuple[str | None, float]:
        """The cell that a companion executes, and since when."""
        cell = kernel_files.companion_cell(self._kernel)
        begun = kernel_files.changed(self._kernel, kernel_folder.COMPANION_CELL)
        if (cell, begun) != self._executed[0]:
            self._executed = (cell, begun), time.monotonic()
        return cell or None, self._executed[1]

    async def _end_at(self, deadline: float | None) -> None:
        """Interrupt the run when its notebook took too long, and kill it if nothing comes of it."""
        if deadline is None:
            return
        await tasks.sleep(deadline - time.monotonic())
        # First of all: a signal can be what lets the run come to its end.
        self._killed = f"the notebook took longer than {self._job.notebook_timeout:g} s"
        self._stacks = await hang_report.stacks(self._kernel)
        await self._kernel.interrupt()
        await asyncio.sleep(GRACE)
        self._killed += " and did not react to an interrupt, so the kernel was killed"
        await self._kernel.kill()

    async def _stop_soon(self) -> None:
        """Interrupt the run when it is to stop; its teardowns have a moment, then it is killed."""
        await self._control.stop.wait()
        await self._kernel.interrupt()
        await asyncio.sleep(self._control.grace)
        self._killed = (
            f"the run was to end, and what ran did not end within {self._control.grace:g} s, "
            "so the kernel was killed"
        )
        await self._kernel.kill()
