"""Failures about frames and arrays, headless and in an ordinary cell, in words that people can read."""

from __future__ import annotations

import pytest

pytest.importorskip("pandas")
LOAD = """\
import numpy as np
import pandas as pd
import pandas.testing

one = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
two = one.assign(b=["x", "z"])
def load(): return one"""
TABLE = ["1 of 4 values differ:", "row  column  left  right", "1    b       'y'   'z'"]


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("assert one.a.isna().sum() == 1", ["where <Series a int64, 2 values> = <DataFrame 2 rows"]),
        ("assert load().shape == (1, 1)", ["assert (2, 2) == (1, 1)"]),
        ("assert len([load()]) == 2", ["len([<DataFrame 2 rows"]),
        ("assert one.equals(two)", TABLE),
        ("assert one == two", TABLE),
        ("assert (one['b'] == two.b).all()", ["1 of 2 values differ:", TABLE[-1]]),
        ("pandas.testing.assert_frame_equal(one, two)", ['(column name="b") are different', *TABLE]),
        ("left, right = np.eye(2), np.zeros((2, 2))\nassert np.array_equal(left, right)",
         ["2 of 4 values differ:", "0, 0   1.0   0.0"]),
    ],
)  # fmt: skip
def test_headless(shell, body, parts):
    """The report has the words and the table, and neither whole frames nor source of libraries."""
    shell.write("nb.ipynb", "%load_ext nbxunit", LOAD, f"%%xunit_test test_a\n{body}")
    result = shell.run("nb.ipynb", width=120)
    assert result.counts == {"failed": 1}
    assert [part for part in parts if part not in result.output] == []
    assert "\\n" not in result.output


def test_an_ordinary_cell(shell, kernel):
    """A failing assert of an ordinary cell shows where the frames differ, inline and headless."""
    kernel.run(LOAD, "load")
    shown = kernel.run("assert one.equals(two)", "a").text
    assert [part for part in TABLE if part not in shown] == []
    shell.write(
        "nb.ipynb", "%load_ext nbxunit", LOAD, "assert one.equals(two)", "def test_a(): pass"
    )
    shown = shell.run("nb.ipynb", width=120).output
    assert [part for part in TABLE if part not in shown] == []
