"""How a process ends, as the system tells.

Imports the standard library only.
"""

from __future__ import annotations

import asyncio
import os
import signal


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
