"""The code of tests from one run to the next: only what is the same, and only from a sound file."""

from __future__ import annotations

import ast
import sys
import warnings

import pytest

from nbxunit.kernel.cells import kept_code
from nbxunit.kernel.cells.kept_code import KeptCode

SOURCE = "def test_a():\n    assert 1\n    return [x for x in (1, 2)]\n" + "#" * kept_code.WORTH


@pytest.fixture(autouse=True)
def writes(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def file(tmp_path):
    return kept_code.file_of(tmp_path / "sales.ipynb")


def compiled(file, text=SOURCE, name="<cell>"):
    """The code of the tests of a cell, and whether it was known; it is saved."""
    kept, tree = KeptCode(file), ast.parse(text)
    is_known = kept.take((text, "flags"), tree.body)

    def code(node):
        module = ast.Module([node], [])
        return kept.compiled(module, name, lambda: compile(module, name, "exec"))

    codes = [code(node) for node in tree.body]
    kept.save()
    return codes, is_known


def test_code_is_known_in_the_next_run(file):
    """It is equal, and has the name of the cell's file of that run, at any depth."""
    (made,), was_known = compiled(file, name="<first>")
    (code,), is_known = compiled(file, name="<second>")
    assert (was_known, is_known) == (False, True)
    assert code == compile(SOURCE, "<second>", "exec")
    inner = next(const for const in code.co_consts if hasattr(const, "co_filename"))
    assert inner.co_filename == code.co_filename == "<second>"
    assert made.co_filename == "<first>"
    assert file.parent.name == "__pycache__"
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("change", [lambda text: text.replace("1", "2"), lambda text: "\n" + text])
def test_other_text_is_not_known(file, change):
    """Another text, or the same on other lines, is compiled; then no more is kept than the last run had."""
    compiled(file)
    assert not compiled(file, change(SOURCE))[1]
    assert not compiled(file)[1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:-1],
        lambda data: data[:70] + b"\xff" + data[71:],
        lambda data: b"x" * 32 + data[32:],  # of another version
    ],
)
def test_a_damaged_file_counts_as_none(file, damage):
    """What is cut, changed or of another version is never read, and is replaced."""
    compiled(file)
    file.write_bytes(damage(file.read_bytes()))
    assert not compiled(file)[1]
    assert compiled(file)[1]


def test_what_the_compiler_warns_of_is_said_in_each_run(file):
    """Code that Python warns of is not kept."""
    text = SOURCE.replace("assert 1", "assert 1 is 1")
    for _ in range(2):
        with pytest.warns(SyntaxWarning, match="literal"):
            assert not compiled(file, text)[1]


def test_a_warning_that_is_an_error_is_one(file):
    """A filter of the run holds for what is compiled, as without us."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SyntaxError):
            compiled(file, SOURCE.replace("assert 1", "assert 1 is 1"))
    assert not file.exists()


def test_small_cells_are_worth_no_file(file):
    """A small notebook leaves nothing behind."""
    compiled(file, "def test_a():\n    assert 1\n")
    assert not file.parent.exists()


def test_no_file_where_python_writes_none(file, monkeypatch):
    """As with modules: not with PYTHONDONTWRITEBYTECODE, not where no file can be."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    compiled(file)
    assert not file.parent.exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file.parent.write_text("in the way")
    assert not compiled(file)[1]


def test_files_go_where_python_puts_its_own(tmp_path, monkeypatch):
    """PYTHONPYCACHEPREFIX moves them out of the notebook's folder."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "prefix"))
    file = kept_code.file_of(tmp_path / "sales.ipynb")
    compiled(file)
    assert file.is_relative_to(tmp_path / "prefix")
    assert compiled(file)[1]
