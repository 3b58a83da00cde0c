"""Runs of a notebook whose tests were rewritten before: the same results, without rewriting."""

from __future__ import annotations

import re

import pytest

TESTS = "\n".join(f"def test_{n}():\n    assert {n} + 1 == {n + 1}\n" for n in range(150))
FAILS = "def test_fails():\n    left = [1, 2]\n    assert left == [1, 3]"
CASE = (
    "import unittest\nclass Case(unittest.TestCase):\n    def test_it(self):\n        assert True"
)
BREAK = """
import os
if "NBXUNIT_KERNEL" in os.environ:
    from _pytest.assertion import rewrite
    def refuse(*args): raise RuntimeError("rewritten again")
    rewrite.rewrite_asserts = refuse
"""


def kept(shell):
    return [each.name for each in shell.folder.glob("__pycache__/*-nbxunit.pyc")]


def told(result):
    return re.sub(r"in [\d.]+s", "", result.output)


def test_asserts_are_rewritten_once(shell):
    """The next run rewrites nothing, explains its asserts all the same, and a changed cell is new."""
    shell.write("large.ipynb", TESTS, FAILS, CASE)
    first = shell.run("large.ipynb")
    assert first.counts == {"passed": 151, "failed": 1}
    assert "At index 1 diff: 2 != 3" in first.output
    assert len(kept(shell)) == 1
    (shell.folder / "conftest.py").write_text(BREAK)
    assert told(shell.run("large.ipynb")) == told(first)
    shell.write("large.ipynb", TESTS, FAILS.replace("3", "4"), CASE)
    assert "rewritten again" in shell.run("large.ipynb").output
    (shell.folder / "conftest.py").unlink()
    assert "At index 1 diff: 2 != 4" in shell.run("large.ipynb").output


@pytest.mark.parametrize("way", ["no:cacheprovider", "PYTHONDONTWRITEBYTECODE", "small"])
def test_nothing_is_left(shell, way):
    """Not without pytest's cache, not where Python writes no code, not of a small notebook."""
    shell.write("it.ipynb", "def test_it(): assert True" if way == "small" else TESTS)
    if way == "PYTHONDONTWRITEBYTECODE":
        shell.env[way] = "1"
    assert shell.run("it.ipynb", *(["-p", way] if way.startswith("no:") else [])).exit == 0
    assert kept(shell) == []


def test_transformers_of_the_user_keep_it_out(shell):
    """Where a cell has other transformers than ours, its code is made anew."""
    transformer = (
        "import ast\n"
        "class Twice(ast.NodeTransformer):\n"
        "    def visit_Constant(self, node):\n"
        "        return ast.copy_location(ast.Constant(VALUE), node) if node.value == 7777 else node\n"
        "get_ipython().ast_transformers.append(Twice())"
    )
    test = "def test_it():\n    assert 7777 == 1"
    for value, passes in ((1, True), (2, False)):
        shell.write("it.ipynb", transformer.replace("VALUE", str(value)), f"{TESTS}\n{test}")
        assert (shell.run("it.ipynb").exit == 0) is passes
    assert kept(shell) == []
