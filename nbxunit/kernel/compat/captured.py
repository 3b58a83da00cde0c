"""The files that pytest captures output into: the beginning and the end of what a test says.

Imports the standard library and what both sides share. What a test prints without end would fill the
disk, and pytest would read it back at once, which takes longer than an interrupted test has.
"""

from __future__ import annotations

from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

from nbxunit import limits
from nbxunit.kernel.compat import interrupts
from nbxunit.originals import fstat, ftruncate, pread, pwrite

KEPT = limits.REPORT_LIMIT // limits.SHARE
"""Bytes that are kept of the beginning, and as many of the end: no report carries more of a text."""
LIMIT = 4 * KEPT
"""Bytes of the file from which on it is shortened."""
CHUNK = 1_000_000
_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes that do not begin a character in UTF-8."""


class CapturedFile(FileIO):
    """A new file, which shortens itself; what pytest reads of it has a mark for what is left out.

    Processes that a test starts write into it, too, past this object. What threads and processes
    write in the moment of shortening can be lost with what is left out.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._head = KEPT
        self._left_out = 0

    def write(self, data: bytes) -> int:  # type: ignore[override] # any buffer, for FileIO
        """Write `data` at the end."""
        written = super().write(data)
        if self.tell() > LIMIT:
            self._shorten()
        return written

    def read(self, size: int | None = -1) -> bytes:
        """What is there; without a `size` all, and with the mark."""
        if size is not None and size >= 0:
            return super().read(size) or b""
        self._shorten()
        data = super().read() or b""
        if not self._left_out:
            return data
        return data[: self._head] + limits.left_out(self._left_out).encode() + data[self._head :]

    def truncate(self, size: int | None = None) -> int:
        """Begin anew, as pytest does when it has read all."""
        self._left_out = 0
        return super().truncate(size)

    def _shorten(self) -> None:
        file = self.fileno()
        end = fstat(file).st_size
        if end <= LIMIT or pread is None or pwrite is None:
            return
        with interrupts.held():
            if not self._left_out:
                self._head = KEPT + _partial(pread(file, 3, KEPT))
            start = end - KEPT
            start += _partial(pread(file, 3, start))
            for at in range(self._head, start, CHUNK):
                chunk = pread(file, min(CHUNK, start - at), at)
                self._left_out += len(chunk.translate(None, _CONTINUATION))
            tail = pread(file, end - start, start)
            pwrite(file, tail, self._head)
            end = self._head + len(tail)
            ftruncate(file, end)
            if self.tell() > end:
                self.seek(end)


def in_parts(encoded: type[TextIOWrapper]) -> type[TextIOWrapper]:
    """A class as `encoded`, whose files encode a long text part by part, not in one copy."""

    class InParts(encoded):  # type: ignore[misc, valid-type]
        def write(self, text: Any) -> int:
            if not isinstance(text, str) or len(text) <= CHUNK:
                return int(super().write(text))
            for at in range(0, len(text), CHUNK):
                super().write(text[at : at + CHUNK])
            return len(text)

    InParts.__name__ = encoded.__name__
    return InParts


def _partial(data: bytes) -> int:
    """How many bytes at the beginning are the rest of a character."""
    return len(data) - len(data.lstrip(_CONTINUATION))
