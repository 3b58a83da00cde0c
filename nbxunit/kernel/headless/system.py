"""What the system tells a fork server of its children and of itself; here systems differ.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
from pathlib import Path
from typing import Any


def frameworks() -> set[str]:
    """The frameworks of macOS that are loaded: most end a process that uses them behind a fork."""
    if platform.system() != "Darwin":
        return set()
    library: Any = ctypes.CDLL(None)
    name_of = library["_dyld_get_image_name"]
    name_of.restype = ctypes.c_char_p
    names = filter(None, map(name_of, range(library["_dyld_image_count"]())))
    parts = {part for name in names for part in Path(os.fsdecode(name)).parts}
    harmless = {"CoreFoundation.framework", "Python.framework"}
    return {part for part in parts if part.endswith(".framework")} - harmless


def children() -> list[int]:
    """The processes whose parent this one is, where the system tells."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except OSError:
        return []


def environment(pid: int) -> list[bytes]:
    """The variables of a process, where the system tells."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def status_of_dead(pid: int) -> int | None:
    """The status of a kernel that has ended, whose group is killed; None while it runs."""
    if hasattr(os, "waitid"):
        # The group is killed while the dead kernel still holds the number.
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            return None
        kill_group(pid)
        return os.waitpid(pid, 0)[1]
    # On macOS since Python 3.13 only. As long as the group has members, nobody gets its number.
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    kill_group(pid)
    return status


def kill_group(pid: int) -> None:
    """Kill a kernel, and what it has started that is in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
