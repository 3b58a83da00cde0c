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
NOTEBOOKS = {
    "test_plain": [
        "from shop.core import *\nimport sys",
        "x = 1\nif x == 2:\n    y = 3\nx",
        "for i in range(3):\n    if i == 1:\n        continue\n    x += i\nelse:\n    x = 0\nfor i in []:\n    print(i)",
        "while x < 3:\n    x += 1\n    if x == 2:\n        break\nif x:\n    y = 1",
        "def helper(n):\n    if n:\n        return 1\n    return 2\n\ndef test_helper():\n    assert helper(1) == 1",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    z = 0\nelse:\n    z = 1\nfinally:\n    z += 1",
        "%%xunit_setup module\ndb = {}\nif db:\n    db.clear()\ndb['a'] = (\n    1,\n    2,\n)",
        "%%xunit_test test_small\nassert price(1) == 1\nif not db:\n    assert False\nfor key in db:\n    if key == 'b':\n        break\nelse:\n    return\nassert False",
        "%%xunit_test test_async\nassert await fetch(3) == 3\nfor n in [1, 2]:\n    if await fetch(n) == 7:\n        break\n    n += 1\nasync def inner(n):\n    await fetch(n)\n    if n:\n        n += 1\n    return n\nassert await inner(0) == 0",
        "%%xunit_teardown module\ndb.clear()\nif db:\n    raise AssertionError",
    ],
    "test_generators": [
        "from shop.core import table\n\n\ndef gen(n):\n    for i in range(n):\n        yield i\n        if i == 50:\n            yield -1\n    n = 1\nlist(gen(3))",
        "squares = [i * i\n           for i in range(3)\n           if i != 1]\nf = lambda n: (\n    n + 1\n)\ntext = '''one\n  two\nthree'''\nif text: text = ''",
        "import functools\n@functools.lru_cache(\n    maxsize=3)\ndef cached(n):\n    return n\n\n@functools.cache\ndef other(n):\n    return n\ncached(1)",
        "def test_table():\n    assert table(3)[-1] == -1",
        "if text:\n    pass  # pragma: no cover\nif sys_missing := None:  # pragma: no branch\n    text = 1",
    ],
    "test_classes": [
        "import contextlib\nimport pytest\nclass Base:\n    size = 3\n    def area(self):\n        if self.size > 2:\n            return self.size ** 2\n        return 0",
        "class TestBase:\n    def setup_method(self):\n        self.base = Base()\n    @pytest.mark.parametrize('n', [3])\n    def test_area(self, n):\n        assert self.base.area() == n * n",
        "@contextlib.contextmanager\ndef managed(n):\n    try:\n        yield n\n    finally:\n        if n:\n            n = 0\n\nwith managed(3) as three:\n    four = three + 1\nwith managed(0):\n    pass\n\nfour",
        "match four:\n    case 1:\n        kind = 'one'\n    case 4:\n        kind = 'four'\n    case _:\n        kind = 'other'",
        "match four:\n    case 1:\n        kind = 'one'\n    case 4:\n        kind = 'four'\n    case _:\n        kind = 'other'",
        "%%xunit_test test_raises(tmp_path)\nwith pytest.raises(ZeroDivisionError):\n    1 / 0\nwith contextlib.suppress(ValueError):\n    int('x')\n    never = 1\ntry:\n    [].pop()\nexcept KeyError:\n    pass\nexcept IndexError as exc:\n    assert 'pop' in str(exc)",
    ],
}
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
