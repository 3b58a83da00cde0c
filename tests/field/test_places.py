"""Where a cell has raised: the line that a person sees, with each version of IPython."""

from __future__ import annotations

CASES = {
    "call": ("def f():\n    return 1 / 0", "x = 1\n\nf()", 3),
    "blank": ("", "\n\nx = 1\n\n1 / 0", 5),
    "syntax": ("", "\n\nx = 1\n\ndef f(:\n    pass", 5),
    "unknown": ("", "\n\nx = 1\n\n%no_such_magic", 5),
    "script": ("open('raises.py', 'w').write('a = 1\\nb = 1 / 0')", "\nx = 1\n\n%run raises.py", 4),
    "refused": ("", "\n%%xunit_test test_a\nx = 1\n\nyield 1", 5),
    "awaits": ("", "x = 1\nawait 5", 2),
    "text": ("", "import json\n\njson.loads(\n    '{',\n)", 3),
}
"""A cell above, the cell that raises, and its line."""


def test_errors_of_cells(shell):
    """The report names the line of the cell, and marks it."""
    for name, (above, cell, _) in CASES.items():
        shell.write(f"{name}.ipynb", above or "y = 1", cell, "def test_last(): pass")
    result = shell.run(".", width=200)
    assert result.counts == {"error": len(CASES)}, result.output
    for name, (_, cell, line) in CASES.items():
        assert f"\n{name}.ipynb cell 2, line {line}: " in result.output
        assert f"\n>   {cell.splitlines()[line - 1]}\n" in result.output


def test_a_notebook_that_skips_itself(shell):
    """A skip by a cell is at its line."""
    shell.write("a.ipynb", "import pytest\n\npytest.importorskip('no_such')", "def test_a(): pass")
    result = shell.run(".", "-rs", width=200)
    assert "SKIPPED [1] a.ipynb cell 1:3: could not import 'no_such'" in result.output
