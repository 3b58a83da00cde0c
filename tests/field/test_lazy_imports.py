"""`lazy import` of Python 3.15, which binds a name to nothing until code uses it."""

from __future__ import annotations

import json
import re
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 15), reason="new in Python 3.15")

LAZY = "lazy import fractions\nlazy from decimal import Decimal"
USES = """\
def test_function():
    assert fractions.Fraction(1, 2) + Decimal(0).__int__() == 0.5"""
COMPANION = """\
import decimal
import fractions

import pytest

pytestmark = pytest.mark.notebook("a.ipynb")

def test_names(notebook):
    assert notebook.Decimal is notebook["Decimal"] is decimal.Decimal
    assert notebook.fractions is fractions
"""


def test_cells(shell):
    """Hooks, functions and test cells use what an ordinary cell imports so."""
    hook = "%%xunit_setup module\nhalf = fractions.Fraction(1, 2)"
    cell = "%%xunit_test test_cell\nassert Decimal(1) == 1 and half == 0.5"
    shell.write("a.ipynb", "%load_ext nbxunit", LAZY, hook, cell, USES)
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 2}), result.output


@pytest.mark.parametrize("line", ["%%xunit_setup module", "# xunit: test test_a"])
def test_refusal(shell, line):
    """It cannot stand in the cell of a hook or test, which says what can."""
    shell.write("a.ipynb", "%load_ext nbxunit", f"{line}\n{LAZY}\nassert Decimal(1) == 1")
    result = shell.run("a.ipynb")
    assert result.exit == 1
    assert re.search(
        r"cell 2, line 2: SyntaxError: lazy import cannot stand in a \w+ cell; leave out lazy",
        result.output,
    )


def test_companion(shell):
    """A companion's test sees the module, not the promise of one."""
    shell.write("a.ipynb", LAZY)
    (shell.folder / "test_a.py").write_text(COMPANION)
    result = shell.run("test_a.py")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


def test_coverage(shell):
    """The lines of a cell with one are measured as those of others."""
    pytest.importorskip("pytest_cov")
    shell.write("a.ipynb", f"{LAZY}\nif not fractions:\n    print(1)", USES)
    result = shell.run("a.ipynb", "--cov=.", "--cov-report=json")
    assert result.exit == 0, result.output
    files = json.loads((shell.folder / "coverage.json").read_text())["files"]
    assert files["a.ipynb"]["summary"]["missing_lines"] == 1
