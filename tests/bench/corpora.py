"""The notebooks and modules that every runner is given: the same work, as files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from suite import write_notebook

SMALL = (
    "import math",
    "x = 1",
    "def test_x():\n    assert x == 1",
    "y = x + 1\nprint(y)",
    "assert math.sqrt(y * 2) == 2",
)
CHATTY = "for i in range(100):\n    print('line', i)"
IMAGE = """\
import os
from IPython.display import Image, display
display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + os.urandom(1_000_000), format="png"))"""
TESTS = 1000


def make(folder: Path) -> None:
    """Write all corpora into `folder`, one folder each; beside the notebooks, the equal modules."""
    small(folder / "one", 1)
    small(folder / "twenty", 20)
    chatty = [CHATTY.replace("'line'", f"'cell {n}, line'") for n in range(100)]
    _write(
        folder / "chatty", "chatty", [*chatty, IMAGE], "def test_all():\n    " + _indented(chatty)
    )
    asserts = [f"assert {n} + 1 == {n + 1}" for n in range(TESTS)]
    module = functions(TESTS)
    _write(folder / "asserts", "asserts", asserts, module)
    cells = [f"%%xunit_test test_{n}\n{line}" for n, line in enumerate(asserts)]
    _write(folder / "cells", "cells", cells, module)
    _write(folder / "functions", "functions", [module], module)


def small(folder: Path, count: int) -> None:
    """`count` small notebooks in a folder of their own."""
    module = "\n".join(cell for cell in SMALL if not cell.startswith("%"))
    for number in range(count):
        _write(folder, f"small_{number:03}", SMALL, module)


def functions(count: int) -> str:
    """A module of `count` tests."""
    return "\n".join(f"def test_{n}():\n    assert {n} + 1 == {n + 1}\n" for n in range(count))


def _write(folder: Path, name: str, cells: Sequence[str], module: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_notebook(folder / f"{name}.ipynb", list(cells))
    (folder / f"test_{name}.py").write_text(module)


def _indented(cells: Sequence[str]) -> str:
    return "\n".join(cells).replace("\n", "\n    ")


def copy(folder: Path, to: Path) -> None:
    """A fresh copy, as runners write into what they are given."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
