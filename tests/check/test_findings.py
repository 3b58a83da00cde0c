"""What `nbxunit check` finds, and what it leaves alone."""

# ruff: noqa: E501 - a table of cells

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import suite

from nbxunit.check import command
from nbxunit.directives import lines_of

LOAD = "%load_ext nbxunit"


def findings(folder: Path, *cells: str) -> list[tuple[str, int, int, str]]:
    """The rules, cells and lines of what is found in a notebook, and what is said."""
    suite.write_notebook(folder / "a.ipynb", list(cells))
    found = command.check(folder / "a.ipynb")
    text = (folder / "a.ipynb").read_text().splitlines()
    for finding in found:
        line = lines_of(cells[finding.cell - 1])[finding.line - 1]
        assert json.dumps(line)[1:-1] in text[finding.file_line - 1]
    return [(each.rule, each.cell, each.line, each.message) for each in found]


CLASS = "class TestDb:\n    def test_a(self):\n        pass"
FOUND = [
    ("declaration", 2, 1, "did you mean module", [LOAD, "%%xunit_setup modul\nx = 1"]),
    ("declaration", 2, 1, "did you mean %%xunit_test?", [LOAD, "%%xunit_tset test_a\nassert 1"]),
    ("declaration", 2, 2, "did you mean setup?", [LOAD, "\n# xunit: setpu module\nx = 1"]),
    ("declaration", 2, 1, "unknown option --marks", [LOAD, "%%xunit_test test_a --marks slow\nassert 1"]),
    ("misplaced", 2, 2, "first line", [LOAD, "x = 1\n%%xunit_test test_a\nassert x"]),
    ("misplaced", 2, 2, "first line", [LOAD, "x = 1\n# xunit: test test_a\nassert x"]),
    ("misplaced", 2, 3, "first line", [LOAD, "%%xunit_test test_a\nassert 1\n%%xunit_setup"]),
    ("not-loaded", 1, 1, "%load_ext nbxunit", ["%%xunit_test test_a\nassert 1"]),
    ("body", 2, 1, "no body", [LOAD, "%%xunit_test test_a\n# nothing"]),
    ("body", 2, 2, "only defined", [LOAD, "%%xunit_test test_a\ndef test_a():\n    assert 1"]),
    ("body", 2, 2, "hook cell", [LOAD, "%%xunit_setup\ndef test_a(): ..."]),
    ("duplicate-test", 3, 1, "cell 2, too", [LOAD, "%%xunit_test test_a\nassert 1", "# xunit: test test_a\nassert 2"]),
    ("duplicate-test", 3, 1, "cell 2, too", [LOAD, "def test_a(): ...", "%%xunit_test test_a\nassert 2"]),
    ("duplicate-test", 3, 1, "cell 2, too", [LOAD, CLASS, "%%xunit_test TestDb::test_a\nassert 2"]),
    ("duplicate-test", 2, 1, "cell 1, too", ["def test_a(): ...", "def test_a(): ..."]),
    ("no-tests", 3, 1, "did you mean TestDb?", [LOAD, CLASS, "%%xunit_setup class TestDB\nx = 1"]),
    ("no-tests", 3, 1, "has no tests", [LOAD, "class TestDb:\n    n = 1", "%%xunit_setup method TestDb\nx = 1"]),
    ("no-tests", 3, 1, "has no tests", [LOAD, "%%xunit_test A::test_a\nassert 1", "%%xunit_setup class A::B\nx = 1"]),
    ("unknown-mark", 2, 1, "did you mean parametrize?", [LOAD, "%%xunit_test test_a --mark \"parametrise('n', [1])\"\nassert 1"]),
    ("unknown-mark", 1, 3, "register it", ["import pytest\n\n@pytest.mark.nowhere\ndef test_a(): ..."]),
    ("await", 2, 3, "write async def", [LOAD, "%%xunit_test test_a\ndef get():\n    return await fetch()\nassert get()"]),
    ("await", 2, 2, "write await fetch", ["async def fetch():\n    return 1", "def test_a():\n    fetch()"]),
    ("rebinds", 3, 2, "global df", [LOAD, "df = 1", "%%xunit_test test_a\ndf = df + 1\nassert df"]),
    ("rebinds", 3, 3, "global n", [LOAD, "%%xunit_setup\nn = 1", "%%xunit_test test_a\nx = 1\nn += x\nassert n"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "cell", "line", "said", "cells"), FOUND)
def test_found(tmp_path, rule, cell, line, said, cells):
    """It is named once, at its cell and line, with a way out."""
    found = findings(tmp_path, *cells)
    assert [each[:3] for each in found] == [(rule, cell, line)]
    assert said in found[0][3]


FINE = [
    [LOAD, "%%xunit_setup module\nimport db\n!ls\nx = !pwd\ny? ", "%%xunit_test test_a(tmp_path)\nfiles = !ls {tmp_path}\nassert x"],
    [LOAD, "%%xunit_test test_a\n%%time\nassert 1"],
    [LOAD, "%%xunit_test test_a\nfrom db import x\nreturn x"],
    [LOAD, "n = 1", "%%xunit_test test_a\nglobal n\nn += 1"],
    [LOAD, "n = 1", "%%xunit_test test_a(n)\nn = n + 1\nassert n"],
    [LOAD, "n = 1", "%%xunit_test test_a --mark \"parametrize('n', [1])\"\nn = n + 1\nassert n"],
    [LOAD, "n = 1", "%%xunit_test test_a\nn = [n for n in range(2)]\nassert n"],
    [LOAD, "n = 1", "%%xunit_test test_a\ntry:\n    n\nexcept NameError:\n    n = 2\nassert n"],
    [LOAD, "n = 1", "%%xunit_test test_a\nfor n in range(3):\n    n = n + 1\nassert n"],
    [LOAD, "class Base:\n    pass", "class TestA(Base):\n    def test_a(self): ...", "%%xunit_setup class Base\nx = 1"],
    [LOAD, "from cases import TestDb", "%%xunit_setup class TestDb\nx = 1"],
    [LOAD, "from cases import *", "%%xunit_setup class TestDb\nx = 1"],
    [LOAD, "%%xunit_test A::B::test_a\nassert 1", "%%xunit_setup class A\nx = 1", "%%xunit_setup class A::B\nx = 1"],
    [LOAD, "import unittest\nclass Db(unittest.TestCase):\n    def test_a(self): ...", "%%xunit_setup method Db\nx = 1"],
    [LOAD, "text = '''\n# xunit: test test_a\n'''\nassert text"],
    ["%%ipytest\ndef test_a(): ...", "%%unittest\nx = 1", "%%pytest\ny = 1"],
    ["async def fetch(): ...", "def test_a():\n    import asyncio\n    asyncio.run(fetch())"],
    [LOAD, "async def fetch(): ...", "%%xunit_test test_a\nassert await fetch() is None"],
    ["import pytest\n@pytest.mark.known\n@pytest.mark.noted\ndef test_a(): ..."],
    ["%%bash\n# xunit is fine", "import IPython.core.magic"],
    [LOAD, "%%xunit_test test_a\nassert 1 \\\n    # nbxunit\n"],
]  # fmt: skip


@pytest.mark.parametrize("cells", FINE)
def test_left_alone(tmp_path, cells):
    """What a run takes as it is, is no finding."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    known: a mark\n")
    (tmp_path / "conftest.py").write_text(
        "def pytest_configure(config):\n    config.addinivalue_line('markers', 'noted: too')\n"
    )
    assert findings(tmp_path, *cells) == []


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbxunit", "check", *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command(tmp_path):
    """Text, JSON and annotations say the same; errors make it fail, warnings only with --strict."""
    for name in ("in", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
    suite.write_notebook(
        tmp_path / "in/a.ipynb", [LOAD, "x = 1", "%%xunit_test test_a\n\nx = x + 1"]
    )
    suite.write_notebook(tmp_path / "b.ipynb", ["def test_b(): ...", "def test_b(): ..."])
    (tmp_path / "broken.ipynb").write_text("{")
    suite.write_notebook(tmp_path / ".ipynb_checkpoints/a.ipynb", ["%%xunit_test\n"])
    text = run(tmp_path)
    assert text.returncode == 1
    place = next(
        number
        for number, line in enumerate((tmp_path / "in/a.ipynb").read_text().splitlines(), 1)
        if "x = x + 1" in line
    )
    assert f"in/a.ipynb:{place}: cell 3, line 3: error: a test cell's names" in text.stdout
    assert "cell 2, line 1: warning: test_b is defined in cell 1, too" in text.stdout
    assert "broken.ipynb:1: error: it is not a notebook" in text.stdout
    assert len(text.stdout.splitlines()) == 3
    assert text.stderr == "3 notebooks checked: 2 errors, 1 warning\n"
    told = json.loads(run(tmp_path, "in", "--format", "json").stdout)
    assert [(each["path"], each["cell"], each["file_line"]) for each in told] == [
        ("in/a.ipynb", 3, place)
    ]
    github = run(tmp_path, "in", "--format=github")
    assert github.stdout.startswith(
        f"::error file=in/a.ipynb,line={place},title=rebinds::cell 3, line 3"
    )
    assert run(tmp_path, "b.ipynb").returncode == 0
    assert run(tmp_path, "b.ipynb", "--strict").returncode == 1
    ignored = run(tmp_path, "in", "--ignore", "rebinds")
    assert (ignored.returncode, ignored.stderr) == (0, "1 notebook checked: nothing found\n")
    missing = run(tmp_path, "none.ipynb")
    assert missing.returncode == 4
    assert "no such file or folder: none.ipynb" in missing.stderr


def test_a_text_notebook(tmp_path):
    """A text notebook is checked, too, where it is named; places are its lines."""
    (tmp_path / "a.md").write_text(
        "# A\n\n```python\nn = 1\n```\n\n```python\n# xunit: test test_a\nn += 1\n```\n"
    )
    result = run(tmp_path, "a.md", "--ignore=not-loaded")
    assert result.stdout.startswith("a.md:9: cell 2, line 2: error: a test cell's names")


def test_another_language(tmp_path):
    """A notebook in another language is left alone."""
    suite.write_notebook(tmp_path / "a.ipynb", ["%%xunit_test\n"], name="ir", language="R")
    assert command.check(tmp_path / "a.ipynb") == []
