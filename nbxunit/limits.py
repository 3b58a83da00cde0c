"""How much of a text, and of the reports of a run, is kept: in a kernel, and on the host of all.

Shared by both, so it imports the standard library only. A text is cut and marked; what is short may be
no text, but structure that pytest's own code reads, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from sys import getsizeof  # user code may replace it in its module
from typing import Any

SHORT = 200
"""Characters of a string that is never cut."""
SHARE = 4
"""A text, such as a captured section, is cut to this part (1 / 4) of what its report may still carry."""
REPORT_LIMIT = 4_000_000
"""Bytes (see `width`) of all texts that a report carries."""
RUN_LIMIT = 30_000_000
"""Bytes of the texts of all reports, which reporters keep to the end of a session."""
LATE_LIMIT = 10_000
"""Bytes that a report carries when those before it have used up the room of the run."""
LINES = 20
"""Strings, or pairs of a name and a value, that are left at the least where they are many."""
NUMBER = 32
"""Bytes that a number counts, and a text beside its own."""
_MARK = 60
"""Characters that are enough for a mark."""
_LEFT_OUT = re.compile(r"\n\.\.\. (\d{1,15}) characters left out by nbxunit \.\.\.\n")


def width(text: str) -> int:
    """The bytes that each character of `text` takes in memory, 1, 2 or 4; if it has few, up to 4."""
    if text.isascii():
        return 1
    return min(4, (getsizeof(text) - getsizeof("")) // len(text))


def weight(text: str) -> int:
    """The bytes that `text` takes in memory, without what every object takes."""
    return len(text) if text.isascii() else len(text) * width(text)


def weight_of(value: Any) -> int:
    """The bytes that the texts in `value` take, and what counts for all else in it."""
    if isinstance(value, dict):
        return sum(weight_of(key) + weight_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(map(weight_of, value))
    return NUMBER + (weight(value) if isinstance(value, str) else 0)


def shortened(text: str, limit: int) -> str:
    """`text`, or if it has more than `limit` bytes (see `width`) its beginning, a mark, and its end.

    They have no more than `limit` bytes together, so that the same limit does not cut twice.
    """
    if weight(text) <= limit:
        return text
    half = max(0, limit // width(text) - _MARK) // 2
    middle = text[half : len(text) - half]
    count = len(middle) + sum(int(mark[1]) - len(mark[0]) for mark in _LEFT_OUT.finditer(middle))
    return f"{text[:half]}{left_out(count)}{text[len(text) - half :]}"


def left_out(count: int) -> str:
    """The mark in a text from which so many characters are left out."""
    return f"\n... {count} characters left out by nbxunit ...\n"


def left_out_output(size: int) -> str:
    """The mark that stands for a whole output of this size."""
    return f"... an output of {size} bytes left out by nbxunit ..."


class Room:
    """Room for the texts of many reports: where it is used up, those that come carry `late` bytes each."""

    def __init__(self, limit: int = RUN_LIMIT, late: int = LATE_LIMIT) -> None:
        self._left = limit
        self._late = late

    def report(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a report, cut, but for what names its test in all events."""
        identity = {name: data[name] for name in ("nodeid", "location") if name in data}
        rest = {name: value for name, value in data.items() if name not in identity}
        return {**self.bounded(rest), **identity}

    def bounded(self, value: Any, limit: int = REPORT_LIMIT) -> Any:
        """`value`, which is of one report, with the strings inside cut to `limit` bytes in all."""
        bound = _Bound(max(self._late, min(limit, self._left)))
        cut = bound.of(value)
        self._left -= bound.used
        return cut

    def mostly_short(self, value: Any) -> Any:
        """`bounded`, sooner where all of `value` is shorter than what is never cut."""
        size = len(repr(value))
        if size > SHORT:
            return self.bounded(value)
        self._left -= size
        return value


class _Bound:
    def __init__(self, limit: int) -> None:
        self._left = limit
        self.used = 0

    def of(self, value: Any) -> Any:
        size = NUMBER
        if isinstance(value, str):
            if len(value) > SHORT:
                value = shortened(value, max(SHORT * width(value), self._left // SHARE))
            size += len(value) if value.isascii() else weight(value)
        elif isinstance(value, dict):
            many = len(value) > 2 * LINES
            pairs = self._lines(list(value.items())) if many else value.items()
            return {self.of(key): self.of(item) for key, item in pairs}
        elif isinstance(value, list):
            return [self.of(item) for item in self._lines(value)]
        elif isinstance(value, tuple):
            return tuple(map(self.of, value))
        self._left -= size
        self.used += size
        return value

    def _lines(self, items: list[Any]) -> list[Any]:
        """Strings, or what they name, are a text line by line, from which some may be left out."""
        if len(items) <= 2 * LINES or not all(map(_is_line, items)):
            return items
        room, size = self._left // SHARE, weight_of(items)
        if size <= room:
            return items
        half = max(LINES, len(items) * room // size - 2) // 2  # there is to be room for the mark
        mark = f"... {len(items) - 2 * half} left out by nbxunit ..."
        line = mark if isinstance(items[0], str) else type(items[0])(("nbxunit", mark))
        return [*items[:half], line, *items[-half:]]


def _is_line(item: Any) -> bool:
    is_pair = isinstance(item, (list, tuple)) and len(item) == 2  # noqa: PLR2004 - that is a pair
    return isinstance(item[0] if is_pair else item, str)
