"""What a cell prints to stderr, kept in a file as well: a host asks there what a dead kernel last said.

Imports the standard library only. ipykernel sends output a moment later, which a kernel that is
killed does not live to see.
"""

from __future__ import annotations

import contextlib
import os
import threading
from os import _exit, write  # user code may replace them in their module
from pathlib import Path

LIMIT = 100_000
"""Bytes of the file; when it is full it begins anew."""
CANNOT_SPEAK = 70
"""The exit status of a kernel that cannot tell its host any more: a software error, for sysexits.h."""


class LastWords:
    """The file, as the `echo` of a stream of ipykernel's.

    `watcher` is the thread that reads what is written past the stream, and echoes that itself.
    """

    def __init__(self, path: Path, watcher: threading.Thread | None) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = 0
        self._watcher = watcher

    def write(self, text: str) -> None:
        """Write at once."""
        if threading.current_thread() is self._watcher:
            return
        data = text[-LIMIT:].encode("utf-8", "replace")[-LIMIT:]
        with contextlib.suppress(OSError):  # a full disk is no failure of the cell that prints
            if self._size + len(data) > LIMIT:
                os.ftruncate(self._file, 0)
                self._size = 0
            self._size += os.write(self._file, data)

    def flush(self) -> None:
        """All is written."""


def die(exc: Exception) -> None:
    """End the process, which a host notices; it would wait for an answer that cannot be sent."""
    with contextlib.suppress(OSError):
        write(2, f"nbxunit cannot speak to the host: {type(exc).__name__}: {exc}\n".encode())
    _exit(CANNOT_SPEAK)
