"""Cells in comment form under real ruff, black and mypy: plain Python, which stays what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nbxunit import directives

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CELLS = [
    "import sqlite3\nfrom pathlib import Path",
    '# xunit: setup module\ndb = sqlite3.connect(":memory:")',
    "# xunit: teardown module\ndb.close()",
    "# xunit: test test_folder(tmp_path)\nassert Path(tmp_path).is_dir()\nif db:\n    return",
    "# xunit: test test_answer\nassert db.execute('select 42').fetchone() == (42,)",
]
LEFT = {"F821", "F706"}
"""What ruff's default rules find in them: a fixture's name, a `return`."""


def ruff(notebook, *words):
    """The rules that real ruff finds broken, isolated from this project's configuration."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--output-format=json", *words, notebook],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return {each["code"] or each.get("name") for each in json.loads(done.stdout)}


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "linted.ipynb"
    cells = [new_code_cell(source) for source in ["%load_ext nbxunit", *CELLS]]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)
    return path


def sources(path):
    return [each.source for each in nbformat.read(path, 4).cells[1:]]


def test_fix_deletes_nothing(notebook):
    """`ruff check --fix` keeps the imports that only hook cells and test cells use."""
    ruff(notebook, "--fix")
    assert sources(notebook) == CELLS


def test_fix_deletes_imports_of_magic_cells(notebook):
    """In magic form the same imports are lost, which is why the comment form exists."""
    text = notebook.read_text().replace("# xunit: ", "%%xunit_")
    notebook.write_text(text)
    ruff(notebook, "--fix")
    assert "import sqlite3" not in sources(notebook)[0]


def test_what_is_left(notebook):
    """Ruff finds the fixtures that a line names, and `return`; the README's ignores settle them."""
    assert ruff(notebook) == LEFT
    ignores = ",".join(f"*.ipynb:{code}" for code in sorted(LEFT))
    assert ruff(notebook, f"--per-file-ignores={ignores}") == set()


FORMATTERS = {
    "ruff": ["-m", "ruff", "format", "--isolated", "--no-cache"],
    "ruff-imports": [
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select=I",
        "--fix",
        "-q",
    ],
    "black": ["-m", "black", "-q"],
}


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_formatters(notebook, formatter):
    """What formats the cells leaves each comment at the top of its cell, and the notebook passes."""
    pytest.importorskip(formatter.partition("-")[0])
    ugly = [
        *CELLS, "\n\n# xunit: test TestA::test_imports\nimport re\nimport abc\nassert( re and abc )",
        "#xunit: test test_function\n\n\n\ndef f(x): return x\nassert f( 1 )==1",
    ]  # fmt: skip
    cells = [new_code_cell(source) for source in ["%load_ext nbxunit", *ugly]]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), notebook)
    subprocess.run([sys.executable, *FORMATTERS[formatter], notebook], check=True)
    assert sources(notebook) != ugly
    declared = [directives.find(source) is not None for source in sources(notebook)]
    assert declared == [False, *[True] * (len(ugly) - 1)]
    assert "4 passed" in run(notebook)


def test_mypy(notebook, tmp_path):
    """What mypy finds in the cells as a module are the names of fixtures, and `return`."""
    exported = tmp_path / "exported.py"
    exported.write_text("\n\n".join(sources(notebook)) + "\nundefined_in_a_cell\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--config-file=", "--no-color-output", exported.name],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [
        line.partition(" error: ")[2] for line in done.stdout.splitlines() if " error: " in line
    ]
    assert found == [
        'Name "tmp_path" is not defined  [name-defined]',
        '"return" outside function  [misc]',
        'Name "undefined_in_a_cell" is not defined  [name-defined]',
    ]


def run(notebook):
    """What a headless run of the notebook prints."""
    return subprocess.run(
        [sys.executable, "-m", "nbxunit", "run", notebook.name, "-p", "no:cacheprovider"],
        cwd=notebook.parent, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip


def test_it_runs(notebook):
    """The notebook that ruff has seen passes headless."""
    assert "2 passed" in run(notebook)
