"""Which files run first, and which on which machine: by the seconds that earlier runs took.

Imports the standard library. A file is a notebook, a companion or a test module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

UNKNOWN = 1.0
"""Seconds of a file where none is known."""
LONG = 4
"""A file that takes more than this part (1 / 4) of the time of all on one slot runs first."""


def estimates(files: Sequence[str], known: Mapping[str, float]) -> list[float]:
    """The seconds of each file; of one that has not run, the mean of the others."""
    found = [known[file] for file in files if file in known]
    mean = sum(found) / len(found) if found else UNKNOWN
    return [known.get(file, mean) for file in files]


def work_order(files: Sequence[str], known: Mapping[str, float], slots: int) -> list[int]:
    """The indexes of `files` in the order of work: long ones first, the rest as they stand.

    Where all were ordered by length, the first result would come late; where none is, one long file at
    the end keeps one slot busy alone.
    """
    seconds = estimates(files, known)
    limit = sum(seconds) / slots / LONG
    long = [slots > 1 and each > limit for each in seconds]
    # A sort keeps the order of what is equal, as all are that are not long.
    return sorted(range(len(files)), key=lambda index: -seconds[index] if long[index] else 0.0)


class ShardError(ValueError):
    """A shard that makes no sense; the message says what was expected."""


def shard_of(text: str) -> tuple[int, int]:
    """The number of a shard and how many there are: `2/3`. ShardError."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ShardError(f"--shard takes K/N with K from 1 to N, as in 2/3, not {text!r}")
    return int(match[1]), int(match[2])


def shards(files: Sequence[str], known: Mapping[str, float], count: int) -> list[list[str]]:
    """The files in `count` parts that take about as long, the same wherever the same is known.

    The longest first, each to the part that is shortest so far; a part keeps the order of `files`.
    """
    seconds = dict(zip(files, estimates(files, known), strict=True))
    loads = [0.0] * count
    number: dict[str, int] = {}
    for file in sorted(seconds, key=lambda file: (-seconds[file], file)):
        lightest = min(range(count), key=loads.__getitem__)
        loads[lightest] += seconds[file]
        number[file] = lightest
    return [[file for file in files if number[file] == part] for part in range(count)]
