"""Notebooks run with parameters, beside papermill on the same notebooks."""

from __future__ import annotations

import json

import nbformat
import pytest
from companion_notebooks import write_one
from shells import Shell

CELLS = [
    ("rows = 10\npath = 'default.csv'\ntoken = ''", "parameters"),
    ("doubled = 2 * rows",),
    ("%%xunit_test test_doubled\nassert doubled < 100",),
    ("def test_path():\n    assert path.endswith('.csv')",),
]


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    write_one(tmp_path / "report.ipynb", CELLS)
    (tmp_path / "small.yaml").write_text("rows: 5\n")
    (tmp_path / "big.yaml").write_text("rows: 500\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nnbxunit_secret_params = tok* pass\n")
    return shell


@pytest.mark.parametrize("options", [[], ["--no-fork"]], ids=["forked", "spawned"])
def test_once_for_each_file(shell, options):
    """With two files a notebook runs twice, under the files' names; cells keep their numbers."""
    files = ["--params", "small.yaml", "--params", "big.yaml"]
    result = shell.run("report.ipynb", *files, "-v", "-n", "2", *options)
    assert "report.ipynb[small]::test_doubled PASSED" in result.output
    assert "report.ipynb[big]::test_doubled FAILED" in result.output
    assert "report.ipynb cell 3, line 2: AssertionError" in result.output
    assert result.counts == {"passed": 3, "failed": 1}
    again = shell.run("report.ipynb", *files, "-v", "--lf")
    assert again.counts == {"failed": 1, "deselected": 1}
    one = shell.run("report.ipynb[small]::test_path", *files, "-v")
    assert one.counts == {"passed": 1}


def test_what_is_saved(shell):
    """The saved notebook holds the injected cell and papermill's metadata, and no secret."""
    result = shell.run(
        "report.ipynb", "--param", "rows=20", "--param", "token=abc", "--save", "out"
    )
    assert result.counts == {"passed": 2}
    text = (shell.folder / "out/report.ipynb").read_text()
    assert "abc" not in text
    saved = nbformat.reads(text, 4)
    cell = saved.cells[2]
    assert cell.metadata.tags == ["injected-parameters"]
    assert cell.source == '# Parameters\nrows = 20\ntoken = "***"\n'
    assert saved.metadata.papermill["parameters"] == {"rows": 20, "token": "***"}


def test_an_unknown_name(shell):
    """A name that the notebook has no parameter for is an error that names the nearest one."""
    result = shell.run("report.ipynb", "--param", "row=20")
    assert "the notebook has no parameter 'row'; did you mean rows?" in result.output
    assert result.exit == 1


def test_the_ini(shell):
    """Parameters of the ini count where the command line gives none of the name."""
    (shell.folder / "pytest.ini").write_text(
        "[pytest]\nnbxunit_params =\n    rows=200\n    path=b.csv\n"
    )
    assert shell.run("report.ipynb").counts == {"passed": 1, "failed": 1}
    assert shell.run("report.ipynb", "--param", "rows=2").counts == {"passed": 2}


OUTCOMES = [
    ({"rows": 3}, [("rows = 1", "parameters"), ("assert rows == 3",)]),
    ({"rows": 3}, [("rows = 1", "parameters"), ("assert rows == 1",)]),
    ({"rows": 3}, [("rows = 1",), ("assert rows == 1",)]),
    ({"a": [1, {"b": None}]}, [("a = 0", "parameters"), ("assert a[1] == {'b': None}",)]),
    ({"t": "q\"'\\n"}, [("t = 0", "parameters"), ("assert t == 'q\"\\'\\\\n'",)]),
    ({"x": 1}, [("x = 0", "parameters"), ("x = 2", "injected-parameters"), ("assert x == 1",)]),
    ({"x": 1}, [("x = 0", "parameters"), ("x = 2", "injected-parameters"), ("assert x == 2",)]),
    ({"x": 1}, [("import os",), ("x = 5", "parameters"), ("assert x == 1",)]),
    ({"x": 1.5}, [("x: float = 0", "parameters"), ("assert isinstance(x, float)",)]),
    ({"x": True}, [("x = None", "parameters"), ("assert x is True",)]),
]
"""Ten notebooks, with values for their parameters; the last cell says what comes of it."""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(OUTCOMES)))
def test_outcomes_are_papermills(shell, tmp_path, number):
    """A notebook passes or fails as it does under papermill, with the same injected cell."""
    papermill = pytest.importorskip("papermill")
    values, cells = OUTCOMES[number]
    path = tmp_path / f"n{number}.ipynb"
    write_one(path, cells)
    (tmp_path / "values.json").write_text(json.dumps(values))
    result = shell.run(path.name, "--params", "values.json", "--check-execution", "--save", "ours")
    try:
        papermill.execute_notebook(path, tmp_path / "theirs.ipynb", values, progress_bar=False)
        passed = True
    except papermill.PapermillExecutionError:
        passed = False
    assert (result.exit == 0) is passed, (number, result.output)
    sources = []
    for saved in (tmp_path / "ours" / path.name, tmp_path / "theirs.ipynb"):
        found = nbformat.read(saved, 4).cells
        sources += [
            each.source for each in found if "injected-parameters" in each.metadata.get("tags", ())
        ]
    assert sources[0] == sources[1]
