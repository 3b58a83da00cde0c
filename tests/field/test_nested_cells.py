"""Code that a cell runs inside itself, by magics or `run_cell`: it belongs to the cell, at its line."""

from __future__ import annotations

import pytest

MAGIC = """\
from IPython.core.magic import register_cell_magic

@register_cell_magic
def mine(line, cell):
    get_ipython().run_cell(cell)
"""
TWICE = """\
get_ipython().run_cell("def test_a(): assert 0");
get_ipython().run_cell("def test_b(): assert 0");"""
CAPTURE = """\
%%capture
import pytest

@pytest.fixture
def five():
    return 5

def test_c(five):
    assert five == 6"""
TEXT = '''\
text = """
    def test_d():
        assert [1] == [2]
"""
import textwrap
get_ipython().run_cell(textwrap.dedent(text), store_history=True);'''
OWN = """\
%%mine

def test_e():
    value = 1
    assert value == 2"""
CASES = [
    ("twice", TWICE, {"test_a": 1, "test_b": 2}),
    ("capture", CAPTURE, {"test_c": 9}),
    ("text", TEXT, {"test_d": 3}),
    ("own-magic", OWN, {"test_e": 5}),
]
each_case = pytest.mark.parametrize(
    ("source", "lines"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)


def test_headless(shell):
    """The tests and fixtures of all nested runs are there, at the cell's own number and lines."""
    for name, source, _ in CASES:
        shell.write(f"{name}.ipynb", MAGIC, source, "def test_last():\n    assert 0")
    done = shell.run(*(f"{name}.ipynb" for name, *_ in CASES), width=200)
    assert done.counts == {"failed": 5 + len(CASES)}, done.output
    for name, _, lines in CASES:
        for line in lines.values():
            assert f"{name}.ipynb cell 2, line {line}: AssertionError" in done.output
        assert f"{name}.ipynb cell 3, line 2: AssertionError" in done.output


@each_case
def test_inline(kernel, source, lines):
    """Inline it is the same, and nobody is said to have edited the cell."""
    kernel.run(MAGIC, "magic")
    kernel.run(source, "outer")
    text = kernel.run("%xunit_run").text
    for name, line in lines.items():
        assert name in text
        assert f", line {line}: AssertionError" in text
    assert f"{len(lines)} failed" in text
    assert "edited" not in kernel.run("%xunit_list").text


def test_a_hook_and_a_test_below_another_magic(kernel):
    """A cell magic that runs its cell may stand above our own."""
    kernel.run("%%capture\n%%xunit_setup module\nx = 2", "setup")
    kernel.run("%%capture\n%%xunit_test test_x\nassert x == 3", "test")
    text = kernel.run("%xunit_run").text
    assert "line 3: AssertionError" in text
    assert "assert 2 == 3" in text


def test_an_empty_nested_run(kernel):
    """A nested run of nothing, which the shell ends and never begins, leaves the cell alone."""
    kernel.run('get_ipython().run_cell("")\ndef test_a():\n    assert 0', "outer")
    assert "line 3: AssertionError" in kernel.run("%xunit_run").text


OTHER = (
    "# xunit: setup module\nraise SystemExit",
    "%%xunit_test test_other\nassert 0",
    "def helper(): return 5",
)
"""The cells of a notebook that others run for its functions."""


@pytest.mark.parametrize("cell", ["%run other.ipynb", "%%time\n%run other.ipynb"])
def test_another_notebook(shell, kernel, cell):
    """Hooks and tests of a notebook that %run runs are left out, inline with a note; its names are there."""
    shell.write("other.ipynb", *OTHER)
    shell.write("a.ipynb", cell, "def test_a(): assert helper() == 5")
    result = shell.run("a.ipynb", "-rA")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    kernel.run(f"%cd -q {shell.folder}")
    text = kernel.run(cell).text
    assert "%%xunit_setup module: left out, since it is of another notebook" in text
    assert "%%xunit_test test_other: left out" in text
    assert "no tests" in kernel.run("%xunit_run").text
