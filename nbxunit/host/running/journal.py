"""The journal of a kernel, read by its host: events that no frame has carried yet.

Imports the standard library and what both sides share.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from nbxunit import frames, protocol


class Journal:
    """The journal in a file, which is kept open within a block: a test can remove it.

    Without one the kernel says what is wrong, and there are no lines.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._ahead = 0

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Within, it can be read."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                self._file = stack.enter_context(FileIO(self._path))
            yield

    def lines(self, taken: int) -> list[str]:
        """The encoded events that no frame up to the number `taken` has carried."""
        return list(frames.journal_lines(self._read().decode("utf-8", "replace"), taken))

    def last_edge(self, taken: int) -> protocol.Started | protocol.Finished | None:
        """The last begin or end of a test that no frame up to the number `taken` has carried."""
        with contextlib.suppress(protocol.ProtocolError):
            return frames.last_edge(self._read(), taken)
        return None

    def _read(self) -> bytes:
        if self._file is None:
            return b""
        self._file.seek(0)
        return self._file.readall()

    def ahead(self, taken: int) -> list[str]:
        """Those that were not taken from here before; the next frame brings them all again."""
        lines = self.lines(taken)[self._ahead :]
        self._ahead += len(lines)
        return lines

    def framed(self) -> int:
        """How many events of the frame that has come were taken from here before."""
        count, self._ahead = self._ahead, 0
        return count
