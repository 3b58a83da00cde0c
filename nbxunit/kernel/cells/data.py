"""Frames, series and arrays in a few words.

Imports the standard library: what a value is, its type's attributes tell, so that pandas, polars, numpy,
pyarrow, xarray, torch and their kin need not be imported, nor known. These words are never an error.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Kind = Literal["frame", "table", "dataset", "labelled", "series", "array"]
_ATTRIBUTES: Mapping[Kind, tuple[str, ...]] = {
    "dataset": ("data_vars", "sizes"),  # xarray's Dataset
    "table": ("num_rows", "column_names"),  # pyarrow's Table
    "frame": ("shape", "columns", "dtypes"),
    "labelled": ("dims", "sizes", "dtype"),  # xarray's DataArray
    "series": ("shape", "dtype", "name"),
    "array": ("shape", "dtype", "ndim"),
}
"""What a type has, by which a value's kind is known; the first kind that fits."""
NAMES = 6
"""So many names of columns are said."""
SHORT = 10
"""An array of one dimension and so many items says itself what it is."""
LOOKED_AT = 1_000_000
"""Cells that are compared at most, and values among which missing ones are counted."""


_PLAIN = frozenset({bool, bytes, dict, float, int, list, set, str, tuple, type(None)})
"""Types of most values, which are none of data."""


def kind(value: object) -> Kind | None:
    """What a value is, if it is data: its type is asked, since an object may answer anything."""
    cls = type(value)
    if isinstance(value, type) or (type(cls) is type and cls in _PLAIN):
        return None
    found = (each for each, names in _ATTRIBUTES.items() if all(hasattr(cls, n) for n in names))
    return next(found, None)


def words(value: Any) -> str | None:
    """What stands for a large value: `<Series amount float64, 5 values, 1 missing>`; else None."""
    try:
        what = kind(value)
        return (
            f"<{type(value).__name__} {_SAID[what](value)}>" if what and _is_large(value) else None
        )
    except Exception:  # noqa: BLE001 - code of others
        return None


def _is_large(value: Any) -> bool:
    shape = getattr(value, "shape", (0, 0))
    return bool(kind(value) != "array" or len(shape) > 1 or math.prod(shape) > SHORT)


def _frame(value: Any) -> str:
    rows, columns = value.shape
    return f"{count(rows, 'row')} \N{MULTIPLICATION SIGN} {count(columns, 'column')}: {listed(value.columns)}"


def _table(value: Any) -> str:
    names = value.column_names
    return f"{count(value.num_rows, 'row')} \N{MULTIPLICATION SIGN} {count(len(names), 'column')}: {listed(names)}"


def _dataset(value: Any) -> str:
    return f"({_sizes(value)}): {listed(value.data_vars)}"


def _labelled(value: Any) -> str:
    name = f"{value.name} " if getattr(value, "name", None) is not None else ""
    return f"{name}{value.dtype} ({_sizes(value)})"


def _series(value: Any) -> str:
    (length,) = value.shape
    name = f"{value.name} " if value.name not in (None, "") else ""
    missing = _missing(value) if length <= LOOKED_AT else 0
    return (
        f"{name}{value.dtype}, {count(length, 'value')}{f', {missing} missing' if missing else ''}"
    )


def _array(value: Any) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(map(operator.index, value.shape))}"


_SAID: Any = {
    "frame": _frame, "table": _table, "dataset": _dataset, "labelled": _labelled,
    "series": _series, "array": _array,
}  # fmt: skip


def _missing(value: Any) -> int:
    return int(value.null_count() if hasattr(value, "null_count") else value.isna().sum())


def _sizes(value: Any) -> str:
    return ", ".join(f"{name}: {size}" for name, size in value.sizes.items())


def count(number: int, what: str) -> str:
    """So many of them, in words."""
    return f"{operator.index(number)} {what}{'' if number == 1 else 's'}"


def listed(names: Iterable[object]) -> str:
    """The first of `names`."""
    first = [str(name) for name in itertools.islice(names, NAMES + 1)]
    return ", ".join([*first[:NAMES], "..."] if len(first) > NAMES else first)
