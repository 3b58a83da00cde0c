"""One notebook on one kernel: prepared, its cells executed, its tests run, told as records.

Runs on the event loop of `scheduling`; what records mean to pytest is `replay`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from nbxunit import protocol
from nbxunit.host import kernels, notebooks
from nbxunit.host.cells import CellRunner
from nbxunit.host.client import call, request
from nbxunit.host.control import Control, Stopped
from nbxunit.host.forking import Forking
from nbxunit.host.kernels import Kernel, KernelDied
from nbxunit.host.notebooks import NotebookError
from nbxunit.host.records import Broken, Died, Executed, Job, Output
from nbxunit.host.testrun import GRACE, TestRun

if TYPE_CHECKING:
    from nbformat import NotebookNode

T = TypeVar("T")


async def execute(
    job: Job,
    control: Control,
    emit: Callable[..., None],
    turn: Callable[[], Awaitable[None]],
    forking: Forking | None,
) -> None:
    """Run `job` and `emit` its records in order. Nothing is raised for what notebooks can do.

    Its kernel is started at once, and waits for its `turn` before anything of the notebook is run.
    """
    try:
        name = _kernel_of(job)
        control.doing = f"starting the kernel {name}"
        async with contextlib.AsyncExitStack() as stack:

            def start() -> contextlib.AbstractAsyncContextManager[Kernel]:
                return kernels.started(name, job.path.parent, job.environment, forking)

            kernel = await stack.enter_async_context(start())
            control.doing = "waiting for its turn"
            await turn()
            if not kernel.is_alive():  # it has died with the fork server
                kernel = await stack.enter_async_context(start())
            notebook = notebooks.read(job.path)
            if _kernel_of(job) != name:  # an earlier notebook may have written it meanwhile
                raise NotebookError(f"{job.path.name} asks for another kernel since the run began")
            control.kernel = kernel
            await _Execution(job, control, kernel, emit).run(notebook)
    except NotebookError as exc:
        emit(Broken(str(exc)))
    except KernelDied as exc:
        emit(Died(str(exc)))
    except Stopped:
        pass
    finally:
        control.kernel = None


def _kernel_of(job: Job) -> str:
    origin = notebooks.peek(job.path)
    if not origin.is_python and job.kernel is None:
        raise NotebookError(
            f"{job.path.name} is in {origin.language}; nbxunit runs Python notebooks"
        )
    return job.kernel or origin.kernel


class _Execution:
    def __init__(
        self, job: Job, control: Control, kernel: Kernel, emit: Callable[..., None]
    ) -> None:
        self._job = job
        self._control = control
        self._kernel = kernel
        self._emit = emit

    async def run(self, notebook: NotebookNode) -> None:
        await self._guarded(self._prepare())
        start = time.monotonic()
        broken = await self._cells(notebook)
        if broken is not None:
            self._emit(broken)
            return
        self._emit(Executed(time.monotonic() - start))
        self._control.doing = "collecting"
        await TestRun(self._job, self._control, self._kernel, self._emit).run()

    # --- before the cells ---

    async def _prepare(self) -> None:
        self._control.doing = "loading plugins and conftests"
        job = self._job
        order = {
            "protocol": protocol.VERSION, "path": str(job.path), "args": job.args,
            "options": job.options, "selection": job.selection, "cwd": os.getcwd(),  # noqa: PTH109
        }  # fmt: skip
        reply = await request(self._kernel.client, call("prepare", order))
        if reply["status"] != "ok":
            raise NotebookError(_why_not_prepared(self._kernel, reply))

    # --- cells ---

    async def _cells(self, notebook: NotebookNode) -> Broken | None:
        show = self._show if self._job.live_output else None
        runner = CellRunner(self._kernel, notebook, self._job.path.name, self._at, show)
        limit = self._job.cell_timeout
        try:
            return await self._guarded(
                runner.run(),
                lambda: None if limit is None else runner.since + limit,
                lambda: f"cell {runner.number} took longer than {limit:g} s",
            )
        except (KernelDied, TimeoutError) as exc:
            if runner.cell is None:
                raise
            return runner.broken(runner.cell, str(exc))

    def _at(self, doing: str) -> None:
        self._control.doing = doing

    def _show(self, stream: str, text: str) -> None:
        self._emit(Output(stream, text))

    # --- what can go wrong meanwhile ---

    async def _guarded(
        self,
        awaitable: Awaitable[T],
        expires: Callable[[], float | None] = lambda: None,
        what: Callable[[], str] = str,
    ) -> T:
        """The result of `awaitable`; TimeoutError, KernelDied or Stopped when that comes first.

        `expires` is the time at which what it is doing now has taken too long, and `what` says so.
        """
        work = asyncio.ensure_future(awaitable)
        death = asyncio.ensure_future(self._kernel.died())
        stop = asyncio.ensure_future(self._control.stop.wait())
        try:
            while not (work.done() or death.done() or stop.done()):
                at = expires()
                left = None if at is None else at - time.monotonic()
                if left is not None and left <= 0:
                    break
                await asyncio.wait(
                    {work, death, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
            if work.done():
                return work.result()
            if death.done():
                raise death.result()
            stopped, text = stop.done(), what()
            await self._kernel.interrupt()
            await asyncio.wait({work, death}, timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
            reacted = work.done()
            if not reacted:
                await self._kernel.kill()
            if stopped:
                raise Stopped
            how = "was interrupted" if reacted else "did not react to an interrupt and was killed"
            raise TimeoutError(f"{text} and {how}")
        finally:
            for task in (work, death, stop):
                task.cancel()
            await asyncio.gather(work, death, stop, return_exceptions=True)


def _why_not_prepared(kernel: Kernel, reply: Mapping[str, Any]) -> str:
    name, text = reply.get("ename"), str(reply.get("evalue"))
    python = kernel.python
    if name in ("ModuleNotFoundError", "ImportError") and any(
        module in text for module in ("nbxunit", "pytest", "greenlet", "IPython")
    ):
        return (
            f"the kernel's Python ({python}) cannot run nbxunit: {text}; "
            f"install it there with: {python} -m pip install nbxunit"
        )
    if name in ("RuntimeError", "UsageError"):
        return text
    lines = [protocol.clean(line) for line in reply.get("traceback", ())]
    return "\n".join([f"the kernel cannot prepare the run: {name}: {text}", *lines[-3:]])
