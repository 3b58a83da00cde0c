"""Start and stop a kernel: one process for one notebook, and nothing of it left behind.

jupyter_client's manager does it, which is imported when the first kernel is started. A kernel
speaks over IPC sockets in a private folder; its stderr goes to a file there.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import queue
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nbxunit.host import tasks
from nbxunit.host.kernels import kernelspecs, processes
from nbxunit.host.kernels.client import client_class, reply_to
from nbxunit.host.kernels.forked_process import ForkedProcess
from nbxunit.host.kernels.forking import ForkError, Forking
from nbxunit.host.kernels.kernel import TICK, Kernel, ended
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.protocol import KERNEL_ID

READY_TIMEOUT = 60
"""Seconds that a kernel may take to start."""
_PORT_TAKEN = re.compile(r"Address (already )?in use")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
LONGEST_FOLDER = 90
"""Bytes of a folder in which the names of sockets are not too long for the system."""
STOP_TIMEOUT = 2.0
"""Seconds that a kernel may take to stop by itself."""
HURRY = 0.2
"""Seconds for the same where the whole run is to end."""
WAITING_MESSAGES = 50
"""Messages of a kernel that wait in the host's memory; each may be a megabyte and more."""
_INHERITED = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_ADDOPTS")
"""Environment variables of the host's pytest that mean nothing in a kernel, or the wrong thing."""


class _PortTaken(NotebookError):
    """Another process has taken a port between its choice and the kernel's start."""


@contextlib.asynccontextmanager
async def started(
    name: str,
    cwd: Path,
    environment: Mapping[str, str],
    forking: Forking | None = None,
    in_hurry: Callable[[], bool] = bool,
) -> AsyncIterator[Kernel]:
    """A kernel of the kernelspec `name` in the folder `cwd`; stopped at the end.

    Forked where it can be, else spawned. `environment` is the host's. Where it is to be stopped
    `in_hurry`, it has a moment only to end by itself.
    NotebookError if there is no such kernelspec, or the kernel does not start. ForkError if the
    fork server has died meanwhile; the next kernel is spawned.
    """
    async with contextlib.AsyncExitStack() as stack:
        for is_last in (False, False, True):
            try:
                once = _started_once(name, cwd, environment, forking, in_hurry)
                kernel = await stack.enter_async_context(once)
                break
            except _PortTaken:
                if is_last:
                    raise
        yield kernel


@contextlib.asynccontextmanager
async def _started_once(
    name: str,
    cwd: Path,
    environment: Mapping[str, str],
    forking: Forking | None,
    in_hurry: Callable[[], bool],
) -> AsyncIterator[Kernel]:
    from jupyter_client.manager import AsyncKernelManager

    try:
        folder = Path(tempfile.mkdtemp(prefix="nbxunit-"))
    except OSError as exc:
        raise NotebookError(f"there is no temporary folder for the kernel: {exc}") from exc
    manager = AsyncKernelManager(
        kernel_name=name,
        connection_file=str(folder / "kernel.json"),
        kernel_spec_manager=kernelspecs.manager(),
    )
    try:
        with _ready_socket(folder) as ready:
            if ready is not None:
                manager.transport, manager.ip = "ipc", str(folder / "ipc")
            try:
                await _launch(manager, cwd, folder, environment, forking)
                await _bound(manager, ready)
                client = client_class()(parent=manager, **manager.get_connection_info(session=True))
                client.context.rcvhwm = WAITING_MESSAGES
                client.start_channels(hb=False)  # the process itself tells when it ends
            except BaseException:  # also a cancellation, with a process that nobody else knows
                if manager.provisioner is not None:
                    await manager.provisioner.kill()
                processes.kill_marked(folder.name)
                raise
        kernel = Kernel(manager, client, folder)
        try:
            await _ready(kernel, name)
            yield kernel
        finally:
            await _stop(kernel, HURRY if in_hurry() else STOP_TIMEOUT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _launch(
    manager: Any, cwd: Path, folder: Path, environment: Mapping[str, str], forking: Forking | None
) -> None:
    """Start the process of `manager`'s kernel."""
    from jupyter_client.kernelspec import NoSuchKernel

    name = manager.kernel_name
    inherited = {key: value for key, value in environment.items() if key not in _INHERITED}
    try:
        spec = manager.kernel_spec
        is_plain = not spec.env and "kernel_provisioner" not in spec.metadata
        if forking is not None and manager.transport == "ipc" and is_plain:
            manager.provisioner = _fork_provisioner(forking, manager, folder)
        extra = ["--HistoryManager.hist_file=:memory:"] if manager.ipykernel else []
        (folder / "journal").touch()
        with (folder / "stderr").open("wb") as stderr:
            await manager.start_kernel(
                extra_arguments=extra,
                cwd=str(cwd),
                env={
                    **inherited,
                    **_ipython_folder(inherited, folder),
                    "NBXUNIT_KERNEL": "1",
                    KERNEL_ID: folder.name,
                },
                stderr=stderr,
                stdout=stderr,
            )
    except NoSuchKernel as exc:
        raise NotebookError(f"there is no kernel {name!r}; {kernelspecs.known()}") from exc
    except (OSError, RuntimeError) as exc:
        raise NotebookError(f"the kernel {name!r} does not start: {exc}") from exc


def _ipython_folder(environment: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    """A place for IPython's files in the kernel's private folder, where the usual one is no use.

    That is so in containers without a home. IPython would make temporary folders, and leave them.
    """
    usual = Path(os.path.expanduser(environment.get("IPYTHONDIR") or "~/.ipython"))  # noqa: PTH111 - Path's raises where there is no home
    place = usual if usual.exists() else usual.parent
    if (place.is_dir() and os.access(place, os.W_OK)) or "XDG_CONFIG_HOME" in environment:
        return {}
    return {"IPYTHONDIR": str(folder / "ipython")}


def _fork_provisioner(forking: Forking, manager: Any, folder: Path) -> Any:
    """A provisioner that has the server fork the kernel of `manager`, and else spawns it.

    `folder` is the kernel's private one: its output goes to `folder/stderr`, and `folder/ready` is a
    socket on which it tells that its own are there.
    """
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class ForkProvisioner(LocalProvisioner):
        """Starts a kernel as a fork of the server."""

        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            environment = kwargs["env"]
            if forking.server.serves(cmd, environment):
                order = {
                    "argv": cmd[cmd.index("-m") + 1 :], "cwd": kwargs["cwd"], "env": environment,
                    "output": str(folder / "stderr"), "ready": str(folder / "ready"),
                    "words": forking.words, "preload": forking.preload, "many": forking.many,
                }  # fmt: skip
                with contextlib.suppress(ForkError):
                    process: Any = await forking.server.fork(order)
                    self.process = process
                    self.pid = self.pgid = process.pid
                    return self.connection_info
            return await super().launch_kernel(cmd, **kwargs)

    return ForkProvisioner(
        kernel_id=manager.kernel_id or "", kernel_spec=manager.kernel_spec, parent=manager
    )


@contextlib.contextmanager
def _ready_socket(folder: Path) -> Iterator[socket.socket | None]:
    """Where a forked kernel tells that its sockets are there; nobody has to look again and again.

    None where the temporary folder can hold no sockets: then all goes over TCP, from spawned kernels.
    """
    if not hasattr(socket, "AF_UNIX") or len(os.fsencode(folder)) >= LONGEST_FOLDER:
        yield None
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.setblocking(False)  # noqa: FBT003
        try:
            ready.bind(str(folder / "ready"))
        except OSError as exc:
            if exc.errno in _NO_ROOM:
                raise NotebookError(f"the kernel has no room for its files: {exc}") from exc
            yield None  # some shared and mounted file systems have none
            return
        yield ready


async def _bound(manager: Any, ready: socket.socket | None) -> None:
    """Wait until a forked kernel has its sockets, or has ended, which `_ready` tells."""
    process = manager.provisioner.process
    if ready is None or not isinstance(process, ForkedProcess):
        return
    loop = asyncio.get_running_loop()
    async with tasks.running(loop.sock_recv(ready, 16), ended(process)) as (bound, death):
        await tasks.first(bound, death, timeout=READY_TIMEOUT)


async def _ready(kernel: Kernel, name: str) -> None:
    """Wait until the kernel answers, and its output arrives."""
    async with tasks.running(_answers(kernel), kernel.died()) as (answers, death):
        await tasks.first(answers, death, timeout=READY_TIMEOUT)
        if not answers.done():
            if _is_lost(kernel.process):
                raise ForkError(kernel.process.lost)
            how = kernel.obituary() if death.done() else f"no answer in {READY_TIMEOUT} s"
            error = _PortTaken if _PORT_TAKEN.search(how) else NotebookError
            raise error(f"the kernel {name!r} does not start: {how}")
        answers.result()


async def _answers(kernel: Kernel) -> None:
    """Ask until the answer comes on both channels: a subscription of IOPub takes its time."""
    while True:
        message_id = kernel.client.kernel_info()
        await reply_to(kernel.client, message_id)
        with contextlib.suppress(queue.Empty):
            while True:
                message = await kernel.client.iopub_channel.get_msg(timeout=TICK)
                if _is_idle(message, message_id):
                    return


def _is_lost(process: Any) -> bool:
    """Whether the process has died with the fork server, which has cleared nothing away."""
    return isinstance(process, ForkedProcess) and bool(process.lost)


def _is_idle(message: Mapping[str, Any], message_id: str) -> bool:
    return bool(
        message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == message_id
    )


async def _stop(kernel: Kernel, patience: float) -> None:
    """Let the kernel end by itself, kill it if it does not, and then what it started."""
    manager, process = kernel.manager, kernel.process
    group = manager.provisioner.pgid
    try:
        if kernel.is_alive():
            await manager.request_shutdown()
            async with asyncio.timeout(patience):
                await ended(process)
    except Exception:  # noqa: BLE001, S110 - whatever went wrong, the process must end
        pass
    finally:
        kernel.client.stop_channels()
        # The fork server clears away what a fork has left that has ended, where it can.
        is_cleared = (
            isinstance(process, ForkedProcess) and not _is_lost(process) and processes.has_proc()
        )
        if group is not None and not (is_cleared and not kernel.is_alive()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        elif kernel.is_alive():
            process.kill()
        await ended(process)
        process.wait()
        if not is_cleared:
            processes.kill_marked(kernel.folder.name)
        manager.cleanup_connection_file()
        await manager.cleanup_resources()
