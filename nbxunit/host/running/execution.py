"""One notebook on one kernel: prepared, its cells executed, its tests run, told as records.

Runs on the event loop of `local`; what records mean to pytest is `replay`'s.
"""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from nbxunit.host import tasks
from nbxunit.host.kernels import starting
from nbxunit.host.kernels.forked_process import ForkedProcess
from nbxunit.host.kernels.forking import ForkError, Forking
from nbxunit.host.kernels.kernel import Kernel, KernelDied
from nbxunit.host.notebooks import companions, files, static_look
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.notebooks.parameters import hide
from nbxunit.host.notebooks.saving import Saved
from nbxunit.host.notebooks.static_look import Origin
from nbxunit.host.records import Broken, Died, Job, Record
from nbxunit.host.running import kernel_files
from nbxunit.host.running.control import Control, Stopped
from nbxunit.host.running.notebook_run import NotebookRun, NotPrepared, NoWorker

if TYPE_CHECKING:
    from nbformat import NotebookNode

T = TypeVar("T")


async def execute(
    job: Job,
    control: Control,
    emit: Callable[..., None],
    turn: Callable[[], Awaitable[None]],
    forking: Forking | None,
    workerless: set[Path],
) -> None:
    """Run `job` and `emit` its records in order. Nothing is raised for what notebooks can do.

    Its kernel is started at once, and waits for its `turn` before anything of the notebook is run.
    `workerless` learns of folders where plugins want more of a worker than there is.
    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            await _Execution(job, control, emit, forking, workerless, stack).run(turn)
    except NotebookError as exc:
        emit(Broken(str(exc)))
    except KernelDied as exc:
        emit(Died(str(exc), exc.sections, exc.torn_down, stopped=control.stop.is_set()))
    except Stopped:
        pass
    except Exception as exc:  # noqa: BLE001 - one notebook must not end the session of all
        emit(Broken(f"the run failed: {''.join(traceback.format_exception(exc)[-6:])}"))
    finally:
        control.kernel = None


class _Execution:
    """The run of one job, on the kernel that can run it; kernels are stopped with `stack`."""

    def __init__(
        self,
        job: Job,
        control: Control,
        emit: Callable[..., None],
        forking: Forking | None,
        workerless: set[Path],
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self._job = job
        self._control = control
        self._emit = emit
        self._forking = forking
        self._workerless = workerless
        self._stack = stack
        companion = companions.read(job.path) if job.companion else None
        self._folder = companion.folder if companion else job.path.parent
        self._name = _kernel_of(job, companion.origin if companion else static_look.peek(job.path))

    async def run(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Start a kernel, and run the job on it when it has its turn."""
        self._control.doing = f"starting the kernel {self._name}"
        kernel = await self._start(self._forking)
        self._control.doing = "waiting for its turn"
        await turn()
        # It has died with the fork server, or an earlier notebook has cleared the temporary folder.
        if not (kernel.is_alive() and kernel.journal.exists()):
            kernel = await self._start(self._forking)
        try:
            await self._run_as_worker(kernel)
        except NotPrepared as exc:
            if self._forking is None or not isinstance(kernel.process, ForkedProcess):
                raise
            await self._run_on(await self._start(None))
            self._forking.server.refuse(f"in a fork {exc}")

    async def _start(self, forking: Forking | None) -> Kernel:
        """A kernel that answers; where the fork server has died meanwhile, it is spawned."""
        try:
            kernel = await _unless_stopped(self._entered(forking), self._control)
        except ForkError:
            kernel = await _unless_stopped(self._entered(forking), self._control)
        if self._job.log_file:
            self._stack.callback(lambda: self._emit(*kernel_files.logged(kernel)))
        return kernel

    def _entered(self, forking: Forking | None) -> Awaitable[Kernel]:
        is_stopped = self._control.stop.is_set
        return self._stack.enter_async_context(
            starting.started(self._name, self._folder, self._job.environment, forking, is_stopped)
        )

    async def _run_as_worker(self, kernel: Kernel) -> None:
        """Run the job on `kernel`; on another one where plugins want more of a worker than there is."""
        if self._folder in self._workerless:
            self._job = dataclasses.replace(self._job, worker=None)
        try:
            await self._run_on(kernel)
        except NoWorker:
            self._workerless.add(self._folder)
            await self._run_as_worker(await self._start(self._forking))

    async def _run_on(self, kernel: Kernel) -> None:
        job, control = self._job, self._control
        control.kernel = kernel
        if job.companion:
            await NotebookRun(job, control, kernel, self._emit).run(None)
            return
        notebook = files.read(job.path)
        # An earlier notebook may have written it meanwhile.
        if _kernel_of(job, Origin.of(notebook)) != self._name:
            raise NotebookError(f"{job.path.name} asks for another kernel since the run began")
        if job.save is None:
            await NotebookRun(job, control, kernel, self._emit).run(notebook)
        else:
            await _saved(job, control, kernel, self._emit, notebook)


async def _saved(
    job: Job,
    control: Control,
    kernel: Kernel,
    emit: Callable[..., None],
    notebook: NotebookNode,
) -> None:
    """Run `notebook` and write what it has become, however that ends."""
    assert job.save is not None
    saved = Saved(notebook, job.path, job.save)

    def take(*records: Record) -> None:
        for record in records:
            saved.take(record)
        emit(*records)

    try:
        await NotebookRun(job, control, kernel, take, saved.number).run(notebook)
    except KernelDied as exc:
        saved.take(Died(str(exc)))
        raise
    except NotebookError as exc:
        saved.take(Broken(str(exc)))
        raise
    finally:
        saved.show(kernel_files.shown(kernel))
        hide(notebook, job.parameters, job.secrets)
        saved.write()


async def _unless_stopped(awaitable: Awaitable[T], control: Control) -> T:
    """The result of `awaitable`; Stopped, and the end of it, when the run is to stop before."""
    async with tasks.running(awaitable, control.stop.wait()) as (work, stop):
        await tasks.first(work, stop)
        if work.done():
            return cast("T", work.result())
        raise Stopped


def _kernel_of(job: Job, origin: Origin) -> str:
    if not origin.is_python and job.kernel is None:
        raise NotebookError(
            f"{job.path.name} is in {origin.language}; nbxunit runs Python notebooks"
        )
    return job.kernel or origin.kernel
