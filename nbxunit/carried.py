"""Which values of options go to a kernel as they are, and how the others are told apart.

Shared by both processes, so it imports the standard library only. A value that JSON would change, such as an
Enum, a date or a tuple, is made again by the kernel's own parser from the words of the command line; what it
makes must look as it looks on the host.
"""

from __future__ import annotations

import datetime as dt
import enum
import io
import os
import re
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEPTH = 8
"""Objects in each other that are looked at."""


def is_plain(value: Any) -> bool:
    """Whether JSON gives `value` back as it is; of a subclass of str or int only its base would come."""
    if type(value) is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def look(value: Any, depth: int = _DEPTH) -> str:
    """A text that is the same for equal values in two processes, and else differs as far as can be told."""
    kind = type(value).__qualname__  # how a conftest's module is called differs by import mode
    if depth == 0 or isinstance(value, io.IOBase):
        return kind
    if isinstance(value, enum.Enum):
        return f"{kind}.{value.name}"
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | os.PathLike):
        return f"{kind}({', '.join(_looks(value, depth - 1))})"
    if isinstance(value, os.PathLike | dt.date | dt.time):
        return f"{kind}({value})"
    text = getattr(value, "__qualname__", repr(value))
    if not _ADDRESS.search(text):
        return f"{kind}: {text}"
    return f"{kind}{look(vars(value), depth - 1) if hasattr(value, '__dict__') else ''}"


def _looks(values: Iterable[Any], depth: int) -> list[str]:
    """The looks of several values; sets and mappings have no order that both processes share."""
    if isinstance(values, Mapping):
        return sorted(f"{look(key, depth)}: {look(value, depth)}" for key, value in values.items())
    looks = [look(value, depth) for value in values] if isinstance(values, Collection) else []
    return sorted(looks) if isinstance(values, AbstractSet) else looks
