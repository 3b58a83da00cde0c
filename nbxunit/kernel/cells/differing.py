"""Where two frames, series or arrays differ, and whether one has changed.

Imports the standard library. What code of others raises is no error here: then nothing can be told.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbxunit.kernel.cells import data

CELLS = 10
"""So many differing cells are listed."""
WIDTH = 30
"""Characters of a value in a table."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """How two values differ: in words, and a table of the first cells that do, its head first."""

    lines: tuple[str, ...]
    table: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The words, and below them the table, aligned."""
        widths = [max(map(len, column)) for column in zip(*self.table, strict=True)]
        rows = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self.table
        ]
        return "\n".join([*self.lines, *rows])


def difference(left: Any, right: Any) -> Difference | None:
    """Where two frames, series or arrays differ; None where they do not, or are none."""
    try:
        same = data.kind(left) is not None and data.kind(left) == data.kind(right)
        return _difference(left, right) if same else None
    except Exception:  # noqa: BLE001 - code of others
        return None


def _difference(left: Any, right: Any) -> Difference | None:
    is_array = data.kind(left) in ("array", "labelled")
    columns = [_columns(left), _columns(right)]
    shapes = [_shape(each) for each in (left, right)]
    lines = []
    if shapes[0] != shapes[1]:
        lines.append(f"shape: {shapes[0]} on the left, {shapes[1]} on the right")
    lines += list(_of_columns(*columns))
    rows, others = _labels(left), _labels(right)
    pairs = _pairs(rows, others) if not is_array else None
    if not is_array and shapes[0] == shapes[1] and rows != others:
        lines.append("the index differs")
    if is_array and shapes[0] != shapes[1]:
        return Difference(tuple(lines))
    common = [name for name in columns[0] if name in columns[1]]
    if data.kind(left) == "series":  # whatever they are called
        common, columns[1] = (
            list(columns[0]),
            dict(zip(columns[0], columns[1].values(), strict=True)),
        )
    looked_at = count = 0
    found: list[tuple[int, tuple[str, ...]]] = []
    for name in common:
        listed = 0
        values = _values(columns[0][name]), _values(columns[1][name])
        places = pairs or zip(*map(range, map(len, values)), strict=False)
        for position, opposite in itertools.islice(places, data.LOOKED_AT - looked_at):
            one, other = values[0][position], values[1][opposite]
            looked_at += 1
            if not _is_same(one, other):
                count, listed = count + 1, listed + 1
                if listed <= CELLS:
                    place: tuple[object, ...] = (_row(rows, position), name)
                    if is_array:
                        place = (_index(position, shapes[0]),)
                    found.append((position, (*map(str, place), _short(one), _short(other))))
    if count:
        more = f", the first {CELLS} of them:" if count > CELLS else ":"
        lines.append(f"{count} of {data.count(looked_at, 'value')} differ{more}")
    if not lines:
        return None
    head = ("index" if is_array else "row", *(() if is_array else ("column",)), "left", "right")
    first = [row for _, row in sorted(found, key=lambda each: each[0])[:CELLS]]
    return Difference(tuple(lines), (head, *first) if first else ())


def _shape(value: Any) -> tuple[int, ...]:
    shape = (value.num_rows, value.num_columns) if data.kind(value) == "table" else value.shape
    return tuple(map(operator.index, shape))


def _columns(value: Any) -> dict[str, Any]:
    """The columns by their names; an array is one without a name."""
    what = data.kind(value)
    if what == "table":
        return dict(zip(value.column_names, value.columns, strict=True))
    if what == "frame":
        names = list(value.columns)
        at = getattr(value, "iloc", None)
        columns = [value[name] if at is None else at[:, i] for i, name in enumerate(names)]
        return dict(zip(map(str, names), columns, strict=True))
    return {str(getattr(value, "name", "")) if what == "series" else "": value}


def _of_columns(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[str]:
    """How names and types of columns differ."""
    for side, ours, others in (("left", left, right), ("right", right, left)):
        only = [name for name in ours if name not in others]
        if only and len(ours) > 1:
            yield f"only on the {side}: {data.listed(only)}"
    if list(left) != list(right) and set(left) == set(right):
        yield "the columns are in another order"
    if len(left) == len(right) == 1 and list(left) != list(right):
        yield f"name: {next(iter(left))} on the left, {next(iter(right))} on the right"
        right = dict(zip(left, right.values(), strict=True))
    for name in left:
        types = [_type(each[name]) for each in (left, right) if name in each]
        if len(set(types)) > 1:
            what = f"type of {name}" if name else "type"
            yield f"{what}: {types[0]} on the left, {types[1]} on the right"


def _type(column: Any) -> str:
    return str(getattr(column, "dtype", getattr(column, "type", "")))


def _labels(value: Any) -> Sequence[object] | None:
    """The labels of the rows, where there are any."""
    index = getattr(value, "index", None)
    return list(index) if index is not None and not callable(index) else None


def _pairs(left: Sequence[Any] | None, right: Sequence[Any] | None) -> list[tuple[int, int]] | None:
    """Where the rows stand that both have by their labels; None where labels do not tell."""
    if not left or not right or left == right or len({*left}) < len(left):
        return None
    at = {label: position for position, label in enumerate(right)}
    if len(at) < len(right):
        return None
    return [(position, at[label]) for position, label in enumerate(left) if label in at] or None


def _row(labels: Sequence[object] | None, position: int) -> object:
    return labels[position] if labels is not None else position


def _index(position: int, shape: Sequence[int]) -> str:
    """The place in an array of what stands at `position` in its flat form."""
    places = []
    for size in reversed(shape):
        position, place = divmod(position, size)
        places.append(str(place))
    return ", ".join(reversed(places))


def _values(column: Any) -> Sequence[object]:
    flat = column.values.flatten() if data.kind(column) == "labelled" else column
    flat = flat.flatten() if data.kind(flat) == "array" and hasattr(flat, "flatten") else flat
    for name in ("tolist", "to_list", "to_pylist"):
        if hasattr(flat, name):
            values: Sequence[object] = getattr(flat, name)()
            return values
    return list(flat)


def _is_same(left: Any, right: Any) -> bool:
    if left is right or (_is_missing(left) and _is_missing(right)):
        return True
    try:
        return bool(left == right)
    except Exception:  # noqa: BLE001 - values of others; pandas.NA says neither
        return False


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - a NaN is not itself
    except Exception:  # noqa: BLE001 - pandas.NA does not say
        return True


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def fingerprint(value: Any) -> object:
    """What is another one when data have been changed in place; None where that cannot be told."""
    try:
        columns = _columns(value).items()
        return tuple((name, _type(each), _bytes_of(each)) for name, each in columns)
    except Exception:  # noqa: BLE001 - code of others
        return None


def _bytes_of(column: Any) -> int:
    array = column.to_numpy() if hasattr(column, "to_numpy") else column
    if str(getattr(array, "dtype", "object")) != "object" and hasattr(array, "tobytes"):
        return hash(array.tobytes())
    return hash(tuple(map(repr, _values(column))))
