"""Notebooks as people have them: slips of the schema, cells that show an exception, autoreload."""

from __future__ import annotations

import json

import pytest

EXPECT = """\
from IPython.core.magic import register_cell_magic

@register_cell_magic
def expect(line, cell):
    try:
        exec(cell, {})
    except Exception as exc:
        assert type(exc).__name__ == line
        get_ipython().showtraceback()
"""
SHOWN = {
    "magic": (EXPECT, '%%expect TypeError\n1 + "a"'),
    "call": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()",),
    "nested": ("get_ipython().run_cell('1 / 0');",),
}
SLIPS = {
    "kernel": lambda book: book["metadata"].update(kernelspec={"display_name": "x"}),
    "output": lambda book: book["cells"][0].update(
        outputs=[{"output_type": "display_data", "data": {}}]
    ),
    "id": lambda book: book.update(nbformat_minor=2),
    "tag": lambda book: book["cells"][0]["metadata"].update(tags=["a", "a"]),
    "key": lambda book: book["cells"][0].update(unknown=1),
    "metadata": lambda book: book["cells"][0].pop("metadata"),
    "count": lambda book: book["cells"][0].update(execution_count="x"),
}
BROKEN = {
    "type": lambda book: book["cells"][0].update(cell_type="nosuch"),
    "source": lambda book: book["cells"][0].update(source=5),
    "cells": lambda book: book.update(cells={}),
    "tags": lambda book: book["cells"][0]["metadata"].update(tags="skip-execution"),
}


def write(shell, changes):
    for name, change in changes.items():
        path = shell.write(f"{name}.ipynb", "x = 1", "def test_x():\n    assert x")
        book = json.loads(path.read_text())
        change(book)
        path.write_text(json.dumps(book))
    return [f"{name}.ipynb" for name in changes]


def test_slips_of_the_schema(shell):
    """What a run does not use need not be valid; it is told in one line."""
    files = write(shell, SLIPS)
    done = shell.run(*files, width=300)
    assert done.counts == {"passed": len(SLIPS)}, done.output
    assert "key.ipynb: not quite a valid notebook, but run all the same" in done.output
    assert "output.ipynb: not quite a valid notebook" in done.output
    saved = shell.run(*files, "--save", "out")
    assert saved.counts == done.counts, saved.output


def test_broken_notebooks(shell):
    """What it does use is checked, and named."""
    done = shell.run(*write(shell, BROKEN), width=300)
    assert done.counts == {"error": len(BROKEN)}, done.output
    assert done.output.count("is not a valid notebook: ") >= len(BROKEN)


@pytest.mark.parametrize("cells", SHOWN.values(), ids=SHOWN)
def test_shown_exceptions(shell, cells):
    """A cell that only shows an exception is no error, but is told; with an option it is one."""
    shell.write("a.ipynb", *cells, "def test_x(): pass")
    done = shell.run("a.ipynb", width=200)
    assert done.counts == {"passed": 1}, done.output
    assert f"a.ipynb: cell {len(cells)} shows" in done.output
    assert shell.run("a.ipynb", "--strict-cells").counts == {"error": 1}


def test_unknown_magics(shell):
    """An unknown magic stays an error."""
    shell.write("a.ipynb", "%nosuch", "def test_x(): pass")
    assert shell.run("a.ipynb").counts == {"error": 1}


def test_autoreload(shell):
    """A module that the last cell has written is reloaded before the tests run."""
    shell.write(
        "a.ipynb",
        "%load_ext autoreload\n%autoreload 2\nimport os, sys, time\nsys.dont_write_bytecode = True\n"
        'open("written.py", "w").write("def v(): return 1")\nimport written',
        'open("written.py", "w").write("def v(): return 22")\n'
        'os.utime("written.py", (time.time() + 10,) * 2)',
        "%%xunit_test test_v\nassert written.v() == 22",
    )
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 1}, done.output
