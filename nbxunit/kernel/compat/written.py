"""What a kernel keeps of what cells print: no more than a host is sent.

May import IPython and ipykernel. ipykernel's streams keep all that is written between two messages, in four
bytes a character; IPython keeps it once more to the end of the session, for `%notebook`.
"""

from __future__ import annotations

import collections
import sys
from typing import TYPE_CHECKING, Any

from nbxunit import limits
from nbxunit.protocol import STREAM_LIMIT, STREAM_TAIL

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

AT_ONCE = 65_536
"""Bytes that are read at once of what is written past a stream; by ipykernel it is a thousand."""


class Kept(str):
    """A text, the end of which was written `left_out` characters behind the rest."""

    __slots__ = ("left_out",)
    left_out: int


class Written:
    """What is written into a stream, as the `StringIO` that ipykernel would take."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._room = STREAM_LIMIT
        self._tail: collections.deque[str] = collections.deque()
        self._tail_length = 0
        self._left_out = 0

    def write(self, text: str) -> int:
        """Keep of `text` what there is room for, and the end."""
        kept = 0
        if not self._tail_length:
            width = limits.width(text) if text else 1
            kept = min(len(text), self._room // width)
            self._head.append(text[:kept])
            self._room -= kept * width
        if kept < len(text):  # no copy of a long one
            start = max(kept, len(text) - STREAM_TAIL)
            self._left_out += start - kept
            self._tail.append(text[start:])
            self._tail_length += len(text) - start
        while self._tail and self._tail_length - len(self._tail[0]) >= STREAM_TAIL:
            gone = self._tail.popleft()
            self._tail_length -= len(gone)
            self._left_out += len(gone)
        return len(text)

    def getvalue(self) -> Kept:
        """What was kept."""
        tail = "".join(self._tail)
        over = max(0, len(tail) - STREAM_TAIL) if self._left_out else 0
        kept = Kept("".join([*self._head, tail[over:]]))
        kept.left_out = self._left_out + over
        return kept

    def close(self) -> None:
        """It is not written into any more."""


class _History(collections.defaultdict[int, "_Outputs"]):
    """The outputs of all cells, in IPython's history."""

    def __missing__(self, number: int) -> _Outputs:
        """Those of a cell that has none yet."""
        made = self[number] = _Outputs()
        return made


class _Outputs(list[Any]):
    """The outputs of a cell there."""

    def append(self, output: Any) -> None:
        """One more; if it is of a stream, what is printed is added to it."""
        if "stream" in output.bundle:
            output.bundle["stream"] = _Parts(output.bundle["stream"])
        super().append(output)


class _Parts(list[str]):
    """The texts of a stream there, up to a limit."""

    _room = STREAM_LIMIT

    def append(self, text: str) -> None:
        """Keep of `text` what there is room for."""
        if self._room > 0:
            super().append(text[: self._room])
            self._room -= limits.weight(text)


def bound(shell: InteractiveShell) -> None:
    """Let the streams of this process and the history of `shell` keep no more than is sent.

    Nothing of either is public. IPython before 8.32 keeps no outputs.
    """
    from ipykernel import iostream

    module: Any = iostream
    module.StringIO = Written
    module.PIPE_BUFFER_SIZE = AT_ONCE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, module.OutStream):
            stream.flush()  # the buffers that there are were made before
    history: Any = shell.history_manager
    if hasattr(history, "outputs"):
        history.outputs = _History()
