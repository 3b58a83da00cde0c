"""`--check-outputs` and `--update-outputs` on real notebooks, and beside nbval."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from shells import Shell

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CELLS = [
    ("import sys\nprint('one')\nprint('two', file=sys.stderr)",),
    ("2 + 2", "sum"),
    ("object()",),
    ("1 / 0", "raises-exception"),
    ("%timeit -n1 -r1 pass",),
    ("import random\nrandom.random()", "nbval-ignore-output"),
    ("%load_ext nbxunit",),
    ("def test_a():\n    assert True",),
    ("from IPython.display import HTML\nHTML('<b>bold</b>')",),
]


def executed(cells) -> nbformat.NotebookNode:
    made = []
    for source, *tags in cells:
        cell = new_code_cell(source)
        if tags:
            cell.metadata["tags"] = tags
        made.append(cell)
    notebook = new_notebook(cells=made, metadata=METADATA)
    NotebookClient(notebook).execute()
    return notebook


@pytest.fixture(scope="module")
def stored():
    """A notebook with the outputs that its cells show."""
    return nbformat.writes(executed(CELLS))


@pytest.fixture
def shell(tmp_path, stored):
    shell = Shell(tmp_path)
    (tmp_path / "tutorial.ipynb").write_text(stored, encoding="utf-8")
    return shell


def change(shell: Shell, index: int, **fields: object) -> None:
    path = shell.folder / "tutorial.ipynb"
    notebook = nbformat.read(path, 4)
    for name, value in fields.items():
        notebook.cells[index][name] = value
    nbformat.write(notebook, path)


def outcomes(output: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^tutorial\.ipynb::(\S+) ([A-Z]+)", output))


@pytest.mark.parametrize("options", [[], ["--no-fork"]], ids=["forked", "spawned"])
def test_all_is_as_stored(shell, options):
    """Each cell with outputs is a test, which passes where it shows what is stored; so do other tests."""
    result = shell.run("tutorial.ipynb", "--check-outputs", "-v", *options)
    names = ["cell[1]", "cell[sum]", "cell[3]", "cell[4]", "cell[5]", "cell[9]", "test_a"]
    assert outcomes(result.output) == dict.fromkeys(names, "PASSED"), result.output
    assert result.exit == 0


def test_a_difference(shell):
    """A cell that shows something else fails, and its report shows what was stored and what came."""
    change(shell, 1, source="2 + 3")
    result = shell.run("tutorial.ipynb", "--check-outputs", "-v", "--junitxml", "r.xml")
    assert outcomes(result.output)["cell[sum]"] == "FAILED"
    assert result.counts == {"failed": 1, "passed": 6}
    assert re.search(r"(?m)^-\s*4$", result.output)
    assert re.search(r"(?m)^\+\s*5$", result.output)
    assert "tutorial.ipynb cell 2: not as stored: " in result.output
    assert 'name="cell[sum]"' in (shell.folder / "r.xml").read_text()
    again = shell.run("tutorial.ipynb", "--check-outputs", "-v", "--lf")
    assert outcomes(again.output) == {"cell[sum]": "FAILED"}


def test_one_cell(shell):
    """A node id selects a cell, and leaves the notebook's tests out; the other way round as well."""
    one = shell.run("tutorial.ipynb::cell[sum]", "--check-outputs", "-v")
    assert outcomes(one.output) == {"cell[sum]": "PASSED"}
    test = shell.run("tutorial.ipynb::test_a", "--check-outputs", "-v")
    assert outcomes(test.output) == {"test_a": "PASSED"}


def test_a_cell_that_raises(shell):
    """A cell that raises is an error, and the cells behind it are errors that say so."""
    change(shell, 2, source="undefined")
    result = shell.run("tutorial.ipynb", "--check-outputs", "-v")
    found = outcomes(result.output)
    assert [name for name, word in found.items() if word == "ERROR"] == ["cell[3]", "cell[4]", "cell[5]", "cell[9]"]  # fmt: skip  # noqa: E501
    assert "NameError: name 'undefined' is not defined" in result.output
    assert "not run: tutorial.ipynb cell 3, line 1: NameError" in result.output
    assert result.exit == 1


def test_another_error(shell):
    """The stored error of a cell that is to raise is compared by its type and text."""
    change(shell, 3, source="int('x')")
    result = shell.run("tutorial.ipynb", "--check-outputs", "-v")
    assert outcomes(result.output)["cell[4]"] == "FAILED"
    assert "the name of the error differs" in result.output


def test_update(shell):
    """`--update-outputs` writes what differs, and leaves all else byte for byte."""
    change(shell, 1, source="2 + 3")
    before = (shell.folder / "tutorial.ipynb").read_text(encoding="utf-8")
    result = shell.run("tutorial.ipynb", "--update-outputs", "-v")
    assert result.exit == 0, result.output
    assert "tutorial.ipynb: wrote the outputs of 1 cell into the notebook" in result.output
    after = (shell.folder / "tutorial.ipynb").read_text(encoding="utf-8")
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [(a.strip(), b.strip()) for a, b in pairs if a != b] == [('"4"', '"5"')]
    assert shell.run("tutorial.ipynb", "--check-outputs").exit == 0


def test_no_update_where_a_cell_failed(shell):
    """Nothing is written where a cell has failed."""
    change(shell, 1, source="2 + 3")
    change(shell, 2, source="undefined")
    before = (shell.folder / "tutorial.ipynb").read_bytes()
    assert shell.run("tutorial.ipynb", "--update-outputs").exit == 1
    assert (shell.folder / "tutorial.ipynb").read_bytes() == before


def test_without_the_option(shell):
    """Without the options outputs are not compared."""
    change(shell, 1, source="2 + 3")
    result = shell.run("tutorial.ipynb", "-v")
    assert outcomes(result.output) == {"test_a": "PASSED"}


@pytest.mark.parametrize("line", ["(=>x", "no arrow"])
def test_a_bad_rule(shell, line):
    """A rule that cannot be read is a usage error."""
    (shell.folder / "pytest.ini").write_text(f"[pytest]\nnbxunit_sanitize =\n    {line}\n")
    result = shell.run("tutorial.ipynb", "--check-outputs")
    assert result.exit == 4
    assert "nbxunit_sanitize" in result.output


KINDS = {
    "passes": ([("print('a')",), ("1 + 1",)], None),
    "fails": ([("print('a')",), ("1 + 1",)], "1 + 2"),
    "ignored": (
        [("print('a')",), ("# NBVAL_IGNORE_OUTPUT\n1 + 1",)],
        "# NBVAL_IGNORE_OUTPUT\n1 + 2",
    ),
    "raises": ([("1",), ("# NBVAL_RAISES_EXCEPTION\n1 / 0", "raises-exception")], None),
    "skipped": ([("1",), ("2", "nbval-skip")], None),
    "streams": ([("1",), ("for n in range(3):\n    print(n)",)], "print('0\\n1\\n2')"),
    "frame": (
        [("1",), ("from IPython.display import HTML\nHTML('<i>a</i>')",)],
        "HTML('<i>b</i>')",
    ),
}
"""Cells, and what the last one becomes before it is compared."""


@pytest.fixture(scope="module")
def nbval(tmp_path_factory):
    """A folder with nbval, for PYTHONPATH: in the environment it would slow every run of pytest."""
    folder = tmp_path_factory.mktemp("nbval")
    words = [
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(folder),
        "nbval",
        "coverage",
    ]
    done = subprocess.run([sys.executable, *words], capture_output=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip("nbval cannot be installed")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_as_nbval(shell, nbval, name):
    """A notebook passes or fails as it does under nbval."""
    cells, source = KINDS[name]
    notebook = executed(cells)
    if source is not None:
        notebook.cells[-1].source = source
    nbformat.write(notebook, shell.folder / "tutorial.ipynb")
    ours = shell.run("tutorial.ipynb", "--check-outputs", "--check-execution")
    theirs = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "tutorial.ipynb", "-p",
         "no:cacheprovider"],
        cwd=shell.folder, env={**shell.env, "PYTHONPATH": str(nbval) + os.pathsep}, timeout=120,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert theirs.returncode in (0, 1), theirs.stdout + theirs.stderr
    assert ours.exit == theirs.returncode, (ours.output, theirs.stdout)


def test_keywords_and_marks(shell):
    """-k chooses among compared cells by their names, and -m leaves those out that no mark selects."""
    some = shell.run("tutorial.ipynb", "--check-outputs", "-v", "-k", "sum or test_a")
    assert outcomes(some.output) == {"cell[sum]": "PASSED", "test_a": "PASSED"}
    assert some.counts["deselected"] == 5
    none = shell.run("tutorial.ipynb", "--check-outputs", "-v", "-m", "slow")
    assert none.exit == 5, none.output
    every = shell.run("tutorial.ipynb", "--check-outputs", "-v", "-m", "not slow")
    assert every.counts == {"passed": 7}
