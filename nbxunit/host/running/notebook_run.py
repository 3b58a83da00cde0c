"""The stages of one notebook's run on a kernel: it is prepared, its cells are executed, its tests run.

Runs on the event loop of `local`. What takes too long is interrupted, and killed where that does not help.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nbxunit import protocol
from nbxunit.host import tasks
from nbxunit.host.kernels import hang_report
from nbxunit.host.kernels.client import call, request
from nbxunit.host.kernels.kernel import Kernel, KernelDied
from nbxunit.host.notebooks import files
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.notebooks.parameters import inject
from nbxunit.host.records import (
    Broken,
    Deselected,
    Executed,
    Job,
    Output,
    Remark,
    Sections,
    Skipped,
)
from nbxunit.host.running import widgets
from nbxunit.host.running.broken_cells import Names, Place
from nbxunit.host.running.cells import CellRunner
from nbxunit.host.running.control import GRACE, Control, Stopped
from nbxunit.host.running.output_check import OutputCheck
from nbxunit.host.running.testrun import TestRun

if TYPE_CHECKING:
    from nbformat import NotebookNode

T = TypeVar("T")
LAST_WORDS = 0.3
"""Seconds to read what a kernel sent before it died."""


class NotPrepared(NotebookError):
    """A plugin or conftest raised before the first cell; in a forked kernel the fork can be why."""


class NoWorker(NotPrepared):
    """A plugin takes the kernel for a worker of xdist, and wants more of it than there is."""


class TookTooLong(Exception):
    """Something took longer than it may; `sections` of a report say what it was doing."""

    def __init__(self, text: str, sections: Sections = ()) -> None:
        super().__init__(text)
        self.sections = sections


class NotebookRun:
    """The stages of one run; `number` is told the number of each cell that has begun."""

    def __init__(
        self,
        job: Job,
        control: Control,
        kernel: Kernel,
        emit: Callable[..., None],
        number: Callable[[NotebookNode, int], None] = lambda _cell, _number: None,
    ) -> None:
        self._job = job
        self._control = control
        self._kernel = kernel
        self._emit = emit
        self._number = number
        self._deadline: float | None = None
        self._last: NotebookNode | None = None
        self._first_lines: list[int] = []

    async def run(self, notebook: NotebookNode | None) -> None:
        """Prepare the run, execute the cells of `notebook`, if the job has one, and run the tests."""
        start = time.monotonic()
        limit = self._job.notebook_timeout
        self._deadline = None if limit is None else start + limit
        if notebook is not None and files.is_text(self._job.path):
            self._first_lines = files.first_lines(self._job.path, notebook)
        try:
            await self._guarded(self._prepare())
        except TookTooLong as exc:
            raise NotebookError(str(exc)) from exc
        if notebook is not None:
            start = time.monotonic()
            for text in files.remarks(notebook):
                self._emit(Remark(text))
            checking, parameters = self._job.checking, self._job.parameters
            check = OutputCheck(notebook, self._job.path, checking) if checking else None
            injected = inject(notebook, parameters) if parameters else None
            ended = await self._cells(notebook, injected)
            if self._job.save is not None and self._kernel.is_alive():
                await self._guarded(widgets.take_state(self._kernel, notebook))
            if check is not None:
                self._compare(check, ended)
            if ended is not None:
                if check is None or not check.covers(self._last):
                    self._emit(ended)
                await self._end()
                return
            self._emit(Executed(time.monotonic() - start))
        self._control.doing = "collecting"
        run = TestRun(self._job, self._control, self._kernel, self._emit)
        await run.run(self._deadline)

    def _compare(self, check: OutputCheck, ended: Broken | Skipped | None) -> None:
        """Tell what came of the cells whose stored outputs are compared, and update these."""
        check.restore_tags()
        results = list(check.results(ended, self._last))
        check.update(results)
        self._emit(*results)
        if check.deselected:
            self._emit(Deselected(check.deselected))

    def _begun(self, cell: NotebookNode, number: int) -> None:
        self._last = cell
        self._number(cell, number)

    # --- before the cells ---

    async def _prepare(self) -> None:
        self._control.doing = "loading plugins and conftests"
        job = self._job
        order = {
            "protocol": protocol.VERSION, "path": str(job.path), "args": job.args,
            "options": job.options, "selection": job.selection, "cwd": job.cwd,
            "folder": str(self._kernel.folder), "companion": job.companion, "variant": job.variant,
            "save": str(job.save) if job.save else None, "words": job.words, "made": job.made,
            "opened": job.opened, "measured": job.measured, "first_lines": self._first_lines,
            "python_path": job.python_path, "log_file": job.log_file, "workerinput": job.worker,
            "test_timeout": job.test_timeout,
            "cell_timeout": job.cell_timeout if job.companion else None,
        }  # fmt: skip
        reply = await request(self._kernel.client, call("prepare", order))
        if reply["status"] != "ok":
            raise _why_not_prepared(self._kernel, reply)

    async def _end(self) -> None:
        """Let plugins and conftests end what they began before the cells; what fails there is no news."""
        self._control.doing = "ending the session"
        if self._kernel.is_alive():
            code = call("end", {"cwd": self._job.cwd})
            async with tasks.running(
                request(self._kernel.client, code), self._kernel.died(), self._control.stop.wait()
            ) as running:
                await tasks.first(*running, timeout=GRACE)

    # --- cells ---

    async def _cells(
        self, notebook: NotebookNode, injected: NotebookNode | None
    ) -> Broken | Skipped | None:
        show = self._show if self._job.live_output else None
        style = str(self._job.options.get("tbstyle"))
        names = Names(self._job.path.name, self._first_lines, style)
        runner = CellRunner(self._kernel, notebook, names, show, self._begun, injected)
        runner.shown = None if self._job.strict_cells else lambda text: self._emit(Remark(text))
        self._control.doing = lambda: f"cell {runner.place.number}" if runner.place else "cell 1"
        limit = self._job.cell_timeout
        at_expiry: Place | None = None

        def expires() -> float | None:
            if limit is None or (place := runner.place) is None:
                return None
            return limit + (time.monotonic() if runner.is_between else place.since)

        def what() -> str:
            nonlocal at_expiry
            at_expiry = runner.place
            if at_expiry is None or limit is None:  # it is the notebook that took too long
                return ""
            return f"cell {at_expiry.number} took longer than {limit:g} s"

        try:
            return await self._guarded(runner.run(), expires, what)
        except (KernelDied, TookTooLong) as exc:
            runner.recover()
            place = at_expiry or runner.place  # an interrupted cell has ended meanwhile
            if place is None:
                raise NotebookError(str(exc)) from exc
            return runner.broken(place, str(exc), sections=exc.sections)

    def _show(self, stream: str, text: str) -> None:
        self._emit(Output(stream, text))

    # --- what can go wrong meanwhile ---

    async def _guarded(
        self,
        awaitable: Awaitable[T],
        expires: Callable[[], float | None] = lambda: None,
        what: Callable[[], str] = str,
    ) -> T:
        """The result of `awaitable`; TookTooLong, KernelDied or Stopped when that comes first.

        `expires` is the time at which what it is doing now has taken too long, and `what` says so;
        the time of the whole notebook can be over before.
        """
        async with tasks.running(awaitable, self._kernel.died(), self._control.stop.wait()) as (
            work,
            death,
            stop,
        ):
            while not (work.done() or death.done() or stop.done()):
                at = self._first(expires())
                left = None if at is None else at - time.monotonic()
                if left is not None and left <= 0:
                    break
                await tasks.first(work, death, stop, timeout=left)
            if death.done():  # what it has still said may say where it died
                await tasks.first(work, timeout=LAST_WORDS)
            if work.done():
                return cast("T", work.result())
            if death.done():
                raise death.result()
            stopped, text = stop.done(), self._what(expires(), what)
            sections = () if stopped else await hang_report.stacks(self._kernel)
            await self._kernel.interrupt()
            grace = self._control.grace if stopped else GRACE
            await tasks.first(work, death, timeout=grace)
            reacted = work.done()
            if not reacted:
                await self._kernel.kill()
            if stopped:
                raise Stopped
            how = "was interrupted" if reacted else "did not react to an interrupt and was killed"
            raise TookTooLong(f"{text} and {how}", sections)

    def _first(self, at: float | None) -> float | None:
        """What comes first, `at` or the end of the notebook's time."""
        times = [time for time in (at, self._deadline) if time is not None]
        return min(times, default=None)

    def _what(self, at: float | None, what: Callable[[], str]) -> str:
        """What took too long, if `at` was its time."""
        text = what()
        if self._deadline is None or (at is not None and at < self._deadline):
            return text
        return f"the notebook took longer than {self._job.notebook_timeout:g} s"


def _why_not_prepared(kernel: Kernel, reply: Mapping[str, Any]) -> NotebookError:
    name, text = reply.get("ename"), str(reply.get("evalue"))
    python = kernel.python
    if name in ("ModuleNotFoundError", "ImportError") and any(
        module in text for module in ("nbxunit", "pytest", "greenlet", "IPython")
    ):
        return NotebookError(
            f"the kernel's Python ({python}) cannot run nbxunit: {text}; "
            f"install it there with: {python} -m pip install nbxunit"
        )
    if name in ("OtherVersionError", "UsageError"):
        return NotebookError(text)
    lines = [protocol.clean(line) for line in reply.get("traceback", ())]
    kind = NoWorker if name == "NoWorkerError" else NotPrepared
    return kind("\n".join([f"the kernel cannot prepare the run: {name}: {text}", *lines[-3:]]))
