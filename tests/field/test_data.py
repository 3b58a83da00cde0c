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


SAID = [
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


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What one run says of each of the tests above, by their numbers."""
    shell = Shell(tmp_path_factory.mktemp("data"))
    tests = [f"%%xunit_test test_{number}\n{body}" for number, (body, _) in enumerate(SAID)]
    shell.write("nb.ipynb", "%load_ext nbxunit", LOAD, *tests)
    result = shell.run("nb.ipynb", width=120)
    assert result.counts == {"failed": len(SAID)}, result.output
    failures = result.output.partition("= FAILURES =")[2].partition("= short test summary")[0]
    _, *parts = re.split(r"(?m)^_+ \S*test_(\d) _+$", failures)
    return dict(zip(map(int, parts[::2]), parts[1::2], strict=True))


@pytest.mark.parametrize("number", range(len(SAID)), ids=[body for body, _ in SAID])
def test_headless(reports, number):
    """The report has the words and the table, and neither whole frames nor source of libraries."""
    report = reports[number]
    assert [part for part in SAID[number][1] if part not in report] == [], report
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
