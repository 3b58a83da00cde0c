"""Failures about frames and arrays, headless and in an ordinary cell, in words that people can read."""

from __future__ import annotations

import re

import pytest
from shells import Shell

pytest.importorskip("pandas")
LOAD = """\
import numpy as np
import pandas as pd
import pandas.testing

one = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
two = one.assign(b=["x", "z"])
def load(): return one"""
TABLE = ["1 of 4 values differ:", "row  column  left  right", "1    b       'y'   'z'"]


HEADLESS = [
    ("assert one.a.isna().sum() == 1", ["where <Series a int64, 2 values> = <DataFrame 2 rows"]),
    ("assert load().shape == (1, 1)", ["assert (2, 2) == (1, 1)"]),
    ("assert len([load()]) == 2", ["len([<DataFrame 2 rows"]),
    ("assert one.equals(two)", TABLE),
    ("assert one == two", TABLE),
    ("assert (one['b'] == two.b).all()", ["1 of 2 values differ:", TABLE[-1]]),
    ("pandas.testing.assert_frame_equal(one, two)", ['(column name="b") are different', *TABLE]),
    ("left, right = np.eye(2), np.zeros((2, 2))\nassert np.array_equal(left, right)",
     ["2 of 4 values differ:", "0, 0   1.0   0.0"]),
]  # fmt: skip
"""The bodies of tests that fail, and what their reports have."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What is reported of each test, all of one notebook."""
    shell = Shell(tmp_path_factory.mktemp("work"))
    tests = [f"%%xunit_test test_{n}\n{body}" for n, (body, _) in enumerate(HEADLESS)]
    shell.write("nb.ipynb", "%load_ext nbxunit", LOAD, *tests)
    result = shell.run("nb.ipynb", width=120)
    assert result.counts == {"failed": len(HEADLESS)}, result.output
    return re.split(r"(?m)^_+ test_\d _+$|^=+ short test", result.output)[1:-1]


@pytest.mark.parametrize(("body", "parts"), HEADLESS)
def test_headless(reports, body, parts):
    """The report has the words and the table, and neither whole frames nor source of libraries."""
    report = reports[[case[0] for case in HEADLESS].index(body)]
    assert [part for part in parts if part not in report] == []
    assert "\\n" not in report


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
