"""A project whose coverage is measured in two forms: its tests as modules, and some of them as notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import suite

from nbxunit.lines import FileLines

PACKAGE = """
import asyncio

ANSWER = 42


def price(n):
    if n > 10:
        return n * 2
    elif n < 0:
        raise ValueError(n)
    return n


def table(n):
    rows = []
    for i in range(n):
        if i == 7:
            break
        rows.append(i)
    else:
        rows.append(-1)
    return rows


async def fetch(n):
    await asyncio.sleep(0)
    if n:
        return n
    return -1


class Shop:
    def __init__(self):
        self.open = False

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *exc):
        self.open = False
        if exc[0]:
            return True


def never():
    return 1
"""
MODULE = """
from shop.core import Shop, price

def test_big():
    assert price(11) == 22

def test_shop():
    with Shop() as shop:
        assert shop.open
"""
CELLS = {
    "test_plain": """
from shop.core import *
import sys
---
x = 1
if x == 2:
    y = 3
x
---
for i in range(3):
    if i == 1:
        continue
    x += i
else:
    x = 0
for i in []:
    print(i)
---
while x < 3:
    x += 1
    if x == 2:
        break
if x:
    y = 1
---
def helper(n):
    if n:
        return 1
    return 2

def test_helper():
    assert helper(1) == 1
---
try:
    1 / 0
except ZeroDivisionError:
    z = 0
else:
    z = 1
finally:
    z += 1
---
%%xunit_setup module
db = {}
if db:
    db.clear()
db['a'] = (
    1,
    2,
)
---
%%xunit_test test_small
assert price(1) == 1
if not db:
    assert False
for key in db:
    if key == 'b':
        break
else:
    return
assert False
---
%%xunit_test test_async
assert await fetch(3) == 3
for n in [1, 2]:
    if await fetch(n) == 7:
        break
    n += 1
async def inner(n):
    await fetch(n)
    if n:
        n += 1
    return n
assert await inner(0) == 0
---
%%xunit_teardown module
db.clear()
if db:
    raise AssertionError
""",
    "test_generators": """
from shop.core import table


def gen(n):
    for i in range(n):
        yield i
        if i == 50:
            yield -1
    n = 1
list(gen(3))
---
squares = [i * i
           for i in range(3)
           if i != 1]
f = lambda n: (
    n + 1
)
text = '''one
  two
three'''
if text: text = ''
---
import functools
@functools.lru_cache(
    maxsize=3)
def cached(n):
    return n

@functools.cache
def other(n):
    return n
cached(1)
---
def test_table():
    assert table(3)[-1] == -1
---
if text:
    pass  # pragma: no cover
if sys_missing := None:  # pragma: no branch
    text = 1
""",
    "test_classes": """
if any(n > 3 for n in (1, 5)):
    x = (lambda: 1)()
x
---
class Early:
    if [n for n in range(2)]:
        size = 1
    else:
        size = 2
---
def early(n): return n if n else [m for m in range(n)]
early(1)
---
import contextlib
import pytest
class Base:
    size = 3
    def area(self):
        if self.size > 2:
            return self.size ** 2
        return 0
---
class TestBase:
    def setup_method(self):
        self.base = Base()
    @pytest.mark.parametrize('n', [3])
    def test_area(self, n):
        assert self.base.area() == n * n
---
@contextlib.contextmanager
def managed(n):
    try:
        yield n
    finally:
        if n:
            n = 0

with managed(3) as three:
    four = three + 1
with managed(0):
    pass

four
---
match four:
    case 1:
        kind = 'one'
    case 4:
        kind = 'four'
    case _:
        kind = 'other'
---
match four:
    case 1:
        kind = 'one'
    case 4:
        kind = 'four'
    case _:
        kind = 'other'
---
%%xunit_test test_raises(tmp_path)
with pytest.raises(ZeroDivisionError):
    1 / 0
with contextlib.suppress(ValueError):
    int('x')
    never = 1
try:
    [].pop()
except KeyError:
    pass
except IndexError as exc:
    assert 'pop' in str(exc)
""",
}
"""Notebooks, with a line between cells."""
NOTEBOOKS = {name: text.strip("\n").split("\n---\n") for name, text in CELLS.items()}
KEYS = (
    "executed_lines",
    "missing_lines",
    "excluded_lines",
    "executed_branches",
    "missing_branches",
)
CONFTEST = """
import inspect, pytest
@pytest.fixture
def anyio_backend(): return "asyncio"
def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.path.suffix == ".py" and inspect.iscoroutinefunction(item.function):
            item.add_marker("anyio")
            item.fixturenames.append("anyio_backend")
"""


def write(folder: Path, *, notebooks: bool) -> None:
    """Write the project."""
    (folder / "shop").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "core.py").write_text(PACKAGE)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (folder / "tests" / "conftest.py").write_text(CONFTEST)
    (folder / "tests" / "test_module.py").write_text(MODULE)
    for name, cells in NOTEBOOKS.items():
        if notebooks:
            suite.write_notebook(folder / "tests" / f"{name}.ipynb", cells)
        else:
            module, _ = _module(cells)
            (folder / "tests" / f"{name}.py").write_text("\n".join(module) + "\n")


def _module(cells: list[str]) -> tuple[list[str], dict[int, tuple[int, int]]]:
    """The cells as the lines of a module, and for these their cells with the lines there."""
    module: list[str] = []
    places = {}
    for number, cell in enumerate(cells, 1):
        first, *rest = cell.split("\n")
        is_hook = first.startswith("%%")
        for line, text in enumerate([first, *rest], 1):
            module.append(_function(first) if is_hook and line == 1 else "    " * is_hook + text)
            places[len(module)] = (number, line)
            if is_hook and line == 1 and "setup" in first:
                module.append("    global db")
        module.append("")
    return module, places


def _function(first: str) -> str:
    words = first.removeprefix("%%xunit_")
    kind, _, rest = words.partition(" ")
    if kind == "test":
        name = rest if "(" in rest else f"{rest}()"
        return ("async def " if "async" in rest else "def ") + f"{name}:"
    return f"def {kind}_{rest}():"


def found(folder: Path) -> dict[str, dict[str, list[object]]]:
    """What `coverage.json` in a folder says of each file; of notebooks and their modules, by cells.

    A jump that leaves its cell goes to (0, 0).
    """
    files = json.loads((folder / "coverage.json").read_text())["files"]
    return {
        Path(name).stem: _found(folder / name, file)
        for name, file in files.items()
        if Path(name).name != "conftest.py"  # what hosts and kernels do there differs
    }


def _found(path: Path, file: dict[str, list[Any]]) -> dict[str, list[object]]:
    places: dict[int, Any] = {}
    if path.suffix == ".ipynb":
        places = {
            line: (cell.number, number)
            for cell in FileLines(path).cells
            for number, line in enumerate(cell.lines, 1)
        }
    elif path.stem in NOTEBOOKS:
        places = _module(NOTEBOOKS[path.stem])[1]

    def branch(start: int, end: int) -> Any:
        there = places.get(end)
        return places[start], there if there and there[0] == places[start][0] else (0, 0)

    return {
        key: sorted(
            (each if not places else branch(*each) if "branches" in key else places[each])
            for each in file.get(key, ())
        )
        for key in KEYS
    }  # fmt: skip
