"""Frames, series and arrays in words, and where two of them differ, for the libraries themselves."""

from __future__ import annotations

from unittest.mock import MagicMock, Mock

import pytest

from nbxunit.kernel.cells import data, differing

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
TIMES = "\N{MULTIPLICATION SIGN}"


def of_polars():
    polars = pytest.importorskip("polars")
    return polars.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"]})


def of_arrow():
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.table({"a": [1, 2, None], "b": ["x", "y", "z"]})


def of_xarray():
    return pytest.importorskip("xarray").DataArray(np.zeros((3, 4)), dims=("x", "y"), name="t")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pd.DataFrame({"a": [1, 2], "b": [3, 4]}), f"<DataFrame 2 rows {TIMES} 2 columns: a, b>"),
        (lambda: pd.DataFrame(np.zeros((1, 9))), f"<DataFrame 1 row {TIMES} 9 columns: 0, 1, 2, 3, 4, 5, ...>"),
        (lambda: pd.Series([1.5, None], name="amount"), "<Series amount float64, 2 values, 1 missing>"),
        (lambda: pd.Series([1, 2]), "<Series int64, 2 values>"),
        (lambda: np.zeros((100, 3)), "<ndarray float64 (100, 3)>"),
        (lambda: np.arange(1000), "<ndarray int64 (1000,)>"),
        (of_polars, f"<DataFrame 3 rows {TIMES} 2 columns: a, b>"),
        (lambda: of_polars()["a"], "<Series a Int64, 3 values, 1 missing>"),
        (of_arrow, f"<Table 3 rows {TIMES} 2 columns: a, b>"),
        (of_xarray, "<DataArray t float64 (x: 3, y: 4)>"),
        (lambda: of_xarray().to_dataset(), "<Dataset (x: 3, y: 4): t>"),
    ],
)  # fmt: skip
def test_words(make, words):
    """Large data of each library has short words."""
    assert data.words(make()) == words


class Broken:
    """Looks like a frame, and is none."""

    shape = columns = dtypes = property(lambda _: 1 / 0)


@pytest.mark.parametrize(
    "value", [1, "a", [1], {}, None, np.float64(1), np.arange(3), np.ndarray, Mock(), MagicMock(), Broken()]
)  # fmt: skip
def test_what_says_itself(value):
    """What is no data, or small, says itself what it is; nothing that an object does is an error."""
    assert data.words(value) is None
    assert differing.difference(value, value) is None


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})


@pytest.mark.parametrize(
    ("left", "right", "lines", "table"),
    [
        (FRAME, FRAME.assign(b=["x", "z", None]), ["1 of 6 values differ:"], [("1", "b", "'y'", "'z'")]),
        (FRAME, FRAME[["b", "a"]], ["the columns are in another order"], []),
        (FRAME, FRAME.assign(c=1), ["shape: (3, 2) on the left, (3, 3) on the right", "only on the right: c"], []),
        (FRAME, FRAME.astype({"a": float}), ["type of a: int64 on the left, float64 on the right"], []),
        (FRAME, FRAME.set_index(pd.Index([1, 2, 3])), ["the index differs", "4 of 4 values differ:"],
         [("1", "a", "2", "1"), ("1", "b", "'y'", "'x'"), ("2", "a", "3", "2"), ("2", "b", "nan", "'y'")]),
        (FRAME, FRAME[1:], ["shape: (3, 2) on the left, (2, 2) on the right"], []),
        (FRAME.a, FRAME.a + 1, ["3 of 3 values differ:"],
         [("0", "a", "1", "2"), ("1", "a", "2", "3"), ("2", "a", "3", "4")]),
        (np.eye(2), np.zeros((2, 2)), ["2 of 4 values differ:"], [("0, 0", "1.0", "0.0"), ("1, 1", "1.0", "0.0")]),
        (np.eye(2), np.eye(3), ["shape: (2, 2) on the left, (3, 3) on the right"], []),
    ],
)  # fmt: skip
def test_differences(left, right, lines, table):
    """What differs is said: shape, columns, types, index, and then the first values."""
    found = differing.difference(left, right)
    assert list(found.lines) == lines
    assert list(found.table[1:]) == table
    assert differing.difference(left, left) is None


@pytest.mark.parametrize("make", [of_polars, of_arrow])
def test_other_frames(make):
    """Frames of other libraries differ in the same words."""
    whole = make()
    found = differing.difference(whole, make().slice(1))
    assert found.lines[0] == "shape: (3, 2) on the left, (2, 2) on the right"
    assert found.table[1] == ("0", "a", "1", "2")
    assert differing.difference(whole, make()) is None


def test_only_the_first_are_listed():
    """Of many values that differ the first rows are listed, and how many there are."""
    found = differing.difference(pd.DataFrame(np.zeros((50, 2))), pd.DataFrame(np.ones((50, 2))))
    assert found.lines == ("100 of 100 values differ, the first 10 of them:",)
    assert [row[:2] for row in found.table[1:4]] == [("0", "0"), ("0", "1"), ("1", "0")]
    assert len(found.table) == differing.CELLS + 1
