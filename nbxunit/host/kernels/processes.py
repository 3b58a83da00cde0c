"""How a process ends, as the system tells, and an end for what a kernel leaves.

Imports the standard library and the protocol, and psutil where the system has no /proc.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from nbxunit.protocol import KERNEL_ID


async def exited(pid: int) -> None:
    """Wait until a process ends. OSError where the system does not tell of it, or it has been buried."""
    try:
        descriptor = os.pidfd_open(pid)
    except AttributeError as exc:
        raise OSError("only Linux tells") from exc
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def has_proc() -> bool:
    """Whether the system tells of its processes by files, as Linux does."""
    return Path("/proc/self/environ").exists()


def kill_marked(mark: str) -> None:
    """Kill what the kernel with this mark has started in sessions of their own, as far as is known.

    Windows knows no groups of processes, so there it is all that the kernel has started.
    """
    if not has_proc():
        _kill_marked_of_psutil(mark)
        return
    entry = f"{KERNEL_ID}={mark}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if entry in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)


def _kill_marked_of_psutil(mark: str) -> None:
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:  # it comes with ipykernel
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(KERNEL_ID) == mark:
                process.kill()


def ending(status: int | None) -> str:
    """What a status of `subprocess` says: the exit status, or the signal."""
    if status is None:
        return "its status is unknown"
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = ", perhaps out of memory" if -status == getattr(signal, "SIGKILL", None) else ""
    return f"killed by {name}{hint}"
