"""Start and stop a kernel: one process for one notebook, and nothing of it left behind.

The only user of jupyter_client's managers, which is imported when a kernel is started. A kernel
speaks over IPC sockets in a private folder; its stderr goes to a file there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from nbxunit.host.notebooks import NotebookError

READY_TIMEOUT = 60
"""Seconds that a kernel may take to start."""
STOP_TIMEOUT = 2.0
"""Seconds that a kernel may take to stop by itself."""
_INHERITED = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_ADDOPTS")
"""Environment variables of the host's pytest that mean nothing in a kernel, or the wrong thing."""


class KernelDied(Exception):
    """A kernel's process has ended; the message says how, with the last lines of its stderr."""


class Kernel:
    """A running kernel: its `client`, its process, its private `folder`."""

    def __init__(self, manager: Any, client: Any, folder: Path) -> None:
        self.manager = manager
        self.client = client
        self.folder = folder
        self.journal = folder / "journal"
        self.journal.touch()

    @property
    def python(self) -> str:
        """The interpreter, as the kernelspec names it."""
        return str((self.manager.kernel_spec.argv or ["python"])[0])

    async def is_alive(self) -> bool:
        """Whether the process runs."""
        return bool(await self.manager.is_alive())

    async def died(self) -> KernelDied:
        """Wait until the process ends; what there is to say about it."""
        while await self.is_alive():
            await asyncio.sleep(0.1)
        return KernelDied(self.obituary())

    def obituary(self) -> str:
        """How the process ended, and the last lines that it wrote to stderr."""
        process = getattr(self.manager.provisioner, "process", None)
        code = process.poll() if process is not None else None
        text = f"the kernel died ({_ending(code)})"
        lines = self.stderr().strip().splitlines()[-5:]
        return "\n".join([text, *lines])

    def stderr(self) -> str:
        """What the process wrote to its stderr, at most the last 20 kB."""
        path = self.folder / "stderr"
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 20_000))
            return file.read().decode("utf-8", "replace")
        return ""

    async def interrupt(self) -> None:
        """Interrupt what runs in the kernel."""
        await self.manager.interrupt_kernel()

    async def kill(self) -> None:
        """End the process at once."""
        await self.manager.shutdown_kernel(now=True)


def _ending(code: int | None) -> str:
    if code is None:
        return "its status is unknown"
    if code >= 0:
        return f"exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps out of memory" if -code == getattr(signal, "SIGKILL", None) else ""
    return f"killed by {name}{hint}"


@contextlib.asynccontextmanager
async def started(name: str, cwd: Path) -> AsyncIterator[Kernel]:
    """A kernel of the kernelspec `name`, with `cwd` as working directory; stopped at the end.

    NotebookError if there is no such kernelspec, or the kernel does not start.
    """
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import AsyncKernelManager

    folder = Path(tempfile.mkdtemp(prefix="nbxunit-"))
    manager = AsyncKernelManager(kernel_name=name, connection_file=str(folder / "kernel.json"))
    manager.shutdown_wait_time = STOP_TIMEOUT
    if sys.platform != "win32":
        manager.transport, manager.ip = "ipc", str(folder / "ipc")
    extra = []
    try:
        if manager.ipykernel:
            extra = ["--HistoryManager.hist_file=:memory:"]
        with (folder / "stderr").open("wb") as stderr:
            environment = {key: value for key, value in os.environ.items() if key not in _INHERITED}
            environment["NBXUNIT_KERNEL"] = "1"
            try:
                await manager.start_kernel(
                    extra_arguments=extra,
                    cwd=str(cwd),
                    env=environment,
                    stderr=stderr,
                    stdout=stderr,
                )
            except NoSuchKernel as exc:
                raise NotebookError(f"there is no kernel {name!r}; {_known_kernels()}") from exc
            except (OSError, RuntimeError) as exc:
                raise NotebookError(f"the kernel {name!r} does not start: {exc}") from exc
        client = _client_class()(parent=manager, **manager.get_connection_info(session=True))
        client.start_channels()
        kernel = Kernel(manager, client, folder)
        try:
            await _ready(kernel, name)
            yield kernel
        finally:
            await _stop(kernel)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _client_class() -> type[Any]:
    from jupyter_client.asynchronous.client import AsyncKernelClient

    class CellClient(AsyncKernelClient):
        """A client that says which cell it executes, as JupyterLab does; `cell_id` is the cell's."""

        cell_id: str | None = None

        def execute(
            self,
            code: str,
            silent: bool = False,  # noqa: FBT001, FBT002 - the base class's
            store_history: bool = True,  # noqa: FBT001, FBT002
            user_expressions: dict[str, Any] | None = None,
            allow_stdin: bool | None = None,  # noqa: FBT001
            stop_on_error: bool = True,  # noqa: FBT001, FBT002
        ) -> str:
            content = {
                "code": code, "silent": silent, "store_history": store_history and not silent,
                "user_expressions": user_expressions or {}, "allow_stdin": bool(allow_stdin),
                "stop_on_error": stop_on_error,
            }  # fmt: skip
            metadata = {"cellId": self.cell_id} if self.cell_id else None
            message = self.session.msg("execute_request", content, metadata=metadata)
            self.shell_channel.send(message)
            return str(message["header"]["msg_id"])

    return CellClient


async def _ready(kernel: Kernel, name: str) -> None:
    try:
        await kernel.client.wait_for_ready(timeout=READY_TIMEOUT)
    except RuntimeError as exc:
        how = kernel.obituary() if not await kernel.is_alive() else str(exc)
        raise NotebookError(f"the kernel {name!r} does not start: {how}") from exc


def _known_kernels() -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    names = sorted(KernelSpecManager().find_kernel_specs())
    return f"known kernels: {', '.join(names) or 'none'}; choose one with --kernel NAME"


async def _stop(kernel: Kernel) -> None:
    """Let the kernel end by itself, kill it if it does not, and then what it started."""
    process = getattr(kernel.manager.provisioner, "process", None)
    group = getattr(kernel.manager.provisioner, "pgid", None)
    try:
        if await kernel.is_alive():
            await kernel.manager.shutdown_kernel(now=False, restart=False)
    except Exception:  # noqa: BLE001 - whatever went wrong, the process must end
        await kernel.kill()
    finally:
        kernel.client.stop_channels()
        if group is not None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        elif process is not None and process.poll() is None:
            process.kill()
        kernel.manager.cleanup_connection_file()
        await kernel.manager.cleanup_resources()


async def request(kernel: Kernel, code: str) -> dict[str, Any]:
    """The content of the reply to a silent execute request."""
    return await reply_to(kernel, kernel.client.execute(code, silent=True, allow_stdin=False))


async def reply_to(kernel: Kernel, message_id: str) -> dict[str, Any]:
    """The content of the reply to the execute request with this id."""
    while True:
        message = await kernel.client.shell_channel.get_msg(timeout=None)
        if message["parent_header"].get("msg_id") == message_id:
            content: dict[str, Any] = message["content"]
            return content


def call(function: str, order: Mapping[str, object]) -> str:
    """The code that calls a function of the kernel's side, and leaves no name behind."""
    module = "__import__('nbxunit.kernel.headless', fromlist=['run'])"
    awaiting = "await " if function == "run" else ""
    return f"{awaiting}{module}.{function}({json.dumps(order)!r})"
