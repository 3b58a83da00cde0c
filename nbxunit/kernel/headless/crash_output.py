"""What cells print and show last, kept in files as well: a host asks there what a dead kernel said.

Imports the standard library and what both sides share. ipykernel sends output a moment later, and
ZeroMQ once more, which a kernel that is killed does not live to see.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

from nbxunit import limits
from nbxunit.kernel.compat import files
from nbxunit.originals import close, dumps, exit_now, ftruncate, write

LIMIT = 100_000
"""Bytes of the file; when it is full it begins anew."""
OUTPUT_LIMIT = 1_000_000
"""Bytes of the file of messages, likewise; one that is longer is not kept."""
OUTPUT = (
    "stream",
    "display_data",
    "execute_result",
    "update_display_data",
    "error",
    "clear_output",
)
"""The types of messages of output."""
CANNOT_SPEAK = 70
"""The exit status of a kernel that cannot tell its host any more: a software error, for sysexits.h."""


class LastWords:
    """The file, as the `echo` of a stream of ipykernel's.

    `watcher` is the thread that reads what is written past the stream, and echoes that itself.
    """

    def __init__(self, path: Path, watcher: threading.Thread | None) -> None:
        self._file = files.appended(path)
        self._size = 0
        self._watcher = watcher

    def write(self, text: str) -> None:
        """Write at once."""
        if threading.current_thread() is self._watcher:
            return
        data = text[-LIMIT:].encode("utf-8", "replace")[-LIMIT:]
        with contextlib.suppress(OSError):  # a full disk is no failure of the cell that prints
            if self._size + len(data) > LIMIT:
                ftruncate(self._file, 0)
                self._size = 0
            self._size += write(self._file, data)

    def flush(self) -> None:
        """All is written."""


class LastOutput:
    """A file of the messages of output that the cells of one request have sent through `session`.

    It is opened for each of them, since cells close descriptors that are not theirs.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._path = path
        self._size = 0
        send = session.send

        def send_and_keep(*args: Any, **more: Any) -> Any:
            sent = send(*args, **more)
            if sent is not None and sent["msg_type"] in OUTPUT:
                self._keep(sent)
            return sent

        session.send = send_and_keep

    def begin(self) -> None:
        """A host has read what was sent before."""
        self._size = 0
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _keep(self, message: dict[str, Any]) -> None:
        parent = message["parent_header"].get("msg_id", "")
        is_from_cell = "/" in parent
        if not is_from_cell or limits.weight_of(message["content"]) > OUTPUT_LIMIT:
            return
        kept = {
            "header": {name: message["header"][name] for name in ("msg_id", "msg_type")},
            "parent_header": {"msg_id": parent},
            "msg_type": message["msg_type"],
            "content": message["content"],
        }
        text = dumps(kept, default=repr, ensure_ascii=False)
        data = text.encode("utf-8", "backslashreplace") + b"\n"
        if self._size + len(data) > OUTPUT_LIMIT:
            self.begin()
        self._size += len(data)
        with contextlib.suppress(OSError):  # a full disk is no failure of the cell that prints
            self._write(data)

    def _write(self, data: bytes) -> None:
        descriptor = files.appended(self._path)
        try:
            write(descriptor, data)
        finally:
            close(descriptor)


def die(exc: Exception) -> None:
    """End the process, which a host notices; it would wait for an answer that cannot be sent."""
    with contextlib.suppress(OSError):
        write(2, f"nbxunit cannot speak to the host: {type(exc).__name__}: {exc}\n".encode())
    exit_now(CANNOT_SPEAK)
