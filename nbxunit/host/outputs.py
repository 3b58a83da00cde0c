"""What cells show, bounded: a notebook that prints without end does not fill the host's memory.

Imports the standard library and the protocol. What is left out is marked where it would stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbxunit import protocol
from nbxunit.protocol import STREAM_LIMIT, STREAM_TAIL

NOTEBOOK_LIMIT = 40_000_000
"""Characters that are kept of all outputs of a notebook."""
OVERHEAD = 500
"""Characters that an output counts at least: a hundred thousand small ones are much as well."""


class Bounds:
    """Bounds for the messages of one notebook's cells."""

    def __init__(self) -> None:
        self._left = NOTEBOOK_LIMIT
        self._streams: dict[int, _Streams] = {}

    def bounded(self, cell: int, message: dict[str, Any]) -> dict[str, Any] | None:
        """The message with what may be kept of it; None if that is nothing."""
        content = message["content"]
        kind = message["msg_type"]
        if kind == "stream":
            streams = self._streams.setdefault(cell, _Streams())
            text = streams.head_of(content["name"], content["text"], self._left)
            streams.left_out(content["name"], content.get(protocol.LEFT_OUT, 0))
            self._left -= len(text)
            return {**message, "content": {**content, "text": text}} if text else None
        if kind == "error":
            lines = [_cut(line) for line in content.get("traceback", ())[-100:]]
            evalue = _cut(str(content.get("evalue")))
            return {**message, "content": {**content, "evalue": evalue, "traceback": lines}}
        if kind not in ("display_data", "execute_result", "update_display_data"):
            return message
        size = sum(len(str(value)) for value in content.get("data", {}).values())
        if size + OVERHEAD <= self._left:
            self._left -= 0 if kind == "update_display_data" else size + OVERHEAD
            return message
        if self._left < OVERHEAD:
            return None
        self._left -= OVERHEAD
        data = {"text/plain": protocol.left_out_output(size)}
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
        self._tails: dict[str, str] = {}
        self._lengths: dict[str, int] = {}

    def head_of(self, name: str, text: str, limit: int) -> str:
        kept = 0 if name in self._tails else max(0, min(len(text), self._left, limit))
        self._left -= kept
        if kept < len(text):
            self._tails[name] = (self._tails.get(name, "") + text[kept:])[-STREAM_TAIL:]
            self._lengths[name] = self._lengths.get(name, 0) + len(text) - kept
        return text[:kept]

    def left_out(self, name: str, count: object) -> None:
        """The kernel itself has left out so much, before the end of what it sent."""
        if isinstance(count, int) and name in self._lengths:
            self._lengths[name] += count

    def ends(self) -> Iterator[Mapping[str, str]]:
        for name, tail in self._tails.items():
            left_out = self._lengths[name] - len(tail)
            mark = protocol.left_out(left_out) if left_out else ""
            yield {"output_type": "stream", "name": name, "text": mark + tail}


def _cut(text: str) -> str:
    return protocol.shortened(text, 2 * STREAM_TAIL)
