"""What cells show, bounded: a notebook that prints without end does not fill the host's memory.

Imports the standard library and what both sides share. What is left out is marked where it would stand;
what a kernel that has died could not send is read from its file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbxunit import limits, protocol
from nbxunit.protocol import STREAM_LIMIT, STREAM_TAIL

NOTEBOOK_LIMIT = 40_000_000
"""Bytes (see `limits.width`) that are kept of all outputs of a notebook."""
OVERHEAD = 500
"""Bytes that an output counts at least: a hundred thousand small ones are much as well."""

LATE_TAIL = 1_000
"""Characters that are kept at the end of a cell's output when those are used up."""
_ADDED = ("stream", "display_data", "execute_result", "error")
"""The messages that add an output to their cell."""

LAST_OUTPUT_LIMIT = 2_000_000
"""Bytes that are read of the file of a dead kernel; it writes half as many."""


def last(path: Path) -> Iterator[dict[str, Any]]:
    """The messages of output in the file of a kernel that has died. OSError or ValueError if damaged."""
    with path.open("rb") as file:
        for line in file.read(LAST_OUTPUT_LIMIT).splitlines():
            yield json.loads(line)


class Bounds:
    """Bounds for the messages of one notebook's cells."""

    def __init__(self) -> None:
        self._left = NOTEBOOK_LIMIT
        self._used: dict[int, int] = {}
        self._streams: dict[int, _Streams] = {}
        self._to_clear: int | None = None

    def bounded(self, cell: int, message: dict[str, Any]) -> dict[str, Any] | None:
        """The message with what may be kept of it; None if that is nothing.

        What a cell clears does not count. `clear_output(wait=True)` waits for the cell's next output.
        """
        before = self._left
        if self._to_clear != cell:
            self._to_clear = None
        if message["msg_type"] == "clear_output":
            if message["content"].get("wait"):
                self._to_clear = cell
            else:
                self._clear(cell)
            return message
        if self._to_clear == cell and message["msg_type"] in _ADDED:
            self._to_clear = None
            self._clear(cell)
            before = self._left
        bounded = self._bounded(cell, message)
        self._used[cell] = self._used.get(cell, 0) + before - self._left
        return bounded

    def _clear(self, cell: int) -> None:
        self._left += self._used.pop(cell, 0)
        self._streams.pop(cell, None)

    def _bounded(self, cell: int, message: dict[str, Any]) -> dict[str, Any] | None:
        content = message["content"]
        kind = message["msg_type"]
        if kind == "stream":
            streams = self._streams.setdefault(cell, _Streams())
            left_out = content.get(protocol.LEFT_OUT)
            left_out = left_out if isinstance(left_out, int) else 0
            text = streams.head_of(content["name"], content["text"], self._left, left_out)
            self._left -= streams.growth(content["name"])
            return {**message, "content": {**content, "text": text}} if text else None
        if kind == "error":
            lines = [_cut(line) for line in content.get("traceback", ())[-100:]]
            evalue = _cut(str(content.get("evalue")))
            return {**message, "content": {**content, "evalue": evalue, "traceback": lines}}
        if kind not in ("display_data", "execute_result", "update_display_data"):
            return message
        size = limits.weight_of(content)
        if size + OVERHEAD <= self._left:
            self._left -= 0 if kind == "update_display_data" else size + OVERHEAD
            return message
        if self._left < OVERHEAD:
            return None
        self._left -= OVERHEAD
        data = {"text/plain": limits.left_out_output(size)}
        return {**message, "content": {**content, "data": data, "metadata": {}}}

    def rest(self, cell: int) -> Iterator[Mapping[str, str]]:
        """What is to stand behind a cell's other outputs: the ends of long streams."""
        streams = self._streams.pop(cell, None)
        if streams is not None:
            yield from streams.ends()


class _Streams:
    """One cell's streams: `head_of` gives what is kept now, `ends` what comes after all."""

    def __init__(self) -> None:
        self._left = STREAM_LIMIT
        self._heads: dict[str, tuple[int, int]] = {}
        self._tails: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def head_of(self, name: str, text: str, limit: int, left_out: int) -> str:
        width = limits.width(text)
        room = max(0, min(self._left, limit)) // width
        if left_out:  # by the kernel, before the end of what it sent
            room = max(0, min(room, len(text) - STREAM_TAIL))
        kept = 0 if name in self._tails else min(len(text), room)
        self._left -= kept * width
        length, before = self._heads.get(name, (0, 1))
        self._heads[name] = length + kept, max(before, width)
        if kept < len(text):
            tail = STREAM_TAIL if limit > 0 else LATE_TAIL
            self._tails[name] = (self._tails.get(name, "") + text[kept:])[-tail:]
            self._lengths[name] = self._lengths.get(name, 0) + len(text) - kept + left_out
        return text[:kept]

    def growth(self, name: str) -> int:
        """The bytes by which a stream has grown since: one wide character makes all in it wide."""
        length, width = self._heads[name]
        size = length * width + limits.weight(self._tails.get(name, ""))
        before, self._sizes[name] = self._sizes.get(name, 0), size
        return size - before

    def ends(self) -> Iterator[Mapping[str, str]]:
        for name, tail in self._tails.items():
            left_out = self._lengths[name] - len(tail)
            mark = limits.left_out(left_out) if left_out else ""
            yield {"output_type": "stream", "name": name, "text": mark + tail}


def _cut(text: str) -> str:
    return limits.shortened(text, 2 * STREAM_TAIL)
