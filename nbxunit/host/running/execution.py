"""One notebook on one kernel: prepared, its cells executed, its tests run, told as records.

Runs on the event loop of `scheduling`; what records mean to pytest is `replay`'s.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

from nbxunit.host import tasks
from nbxunit.host.kernels import starting
from nbxunit.host.kernels.forking import ForkError, Forking
from nbxunit.host.kernels.kernel import Kernel, KernelDied
from nbxunit.host.notebooks import companions, files, static_look
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.notebooks.parameters import hide
from nbxunit.host.notebooks.saving import Saved
from nbxunit.host.notebooks.static_look import Origin
from nbxunit.host.records import Broken, Died, Job, Record
from nbxunit.host.running.control import Control, Stopped
from nbxunit.host.running.notebook_run import NotebookRun

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
        companion = companions.read(job.path) if job.companion else None
        folder = companion.folder if companion else job.path.parent
        name = _kernel_of(job, companion.origin if companion else static_look.peek(job.path))
        control.doing = f"starting the kernel {name}"
        async with contextlib.AsyncExitStack() as stack:

            async def start() -> Kernel:
                try:
                    return await _unless_stopped(stack.enter_async_context(started()), control)
                except ForkError:  # the next one is spawned
                    return await _unless_stopped(stack.enter_async_context(started()), control)

            def started() -> contextlib.AbstractAsyncContextManager[Kernel]:
                return starting.started(name, folder, job.environment, forking, control.stop.is_set)

            kernel = await start()
            control.doing = "waiting for its turn"
            await turn()
            # It has died with the fork server, or an earlier notebook has cleared the temporary folder.
            if not (kernel.is_alive() and kernel.journal.exists()):
                kernel = await start()
            if companion is not None:
                control.kernel = kernel
                await NotebookRun(job, control, kernel, emit).run(None)
                return
            notebook = files.read(job.path)
            if (
                _kernel_of(job, Origin.of(notebook)) != name
            ):  # an earlier notebook may have written it meanwhile
                raise NotebookError(f"{job.path.name} asks for another kernel since the run began")
            control.kernel = kernel
            if job.save is None:
                await NotebookRun(job, control, kernel, emit).run(notebook)
            else:
                await _saved(job, control, kernel, emit, notebook)
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
