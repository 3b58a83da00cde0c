"""The notebooks of the companion modules, and the modules that these import."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

MODULES = {
    "warehouse.py": "def connect():\n    raise OSError('the real warehouse')\n",
    "counter.py": "imported = globals().get('imported', 0) + 1\nran = 0\n",
}
"""Modules beside the notebooks."""

NOTEBOOKS: dict[str, list[tuple[str, ...]]] = {
    "sales": [
        ("import os\n\nimport warehouse\n\nrows = int(os.environ['ROWS'])",),
        ("db = warehouse.connect()\nprint('connected')\nrows", "load"),
        (
            (
                "rate = 1\n\ndef total(xs):\n    return sum(xs) * rate\n\n"
                "class Order:\n    def __init__(self, item):\n        self.item = item"
            ),
        ),
        ("tidy = [n for n in range(5)]",),
        ("from IPython.display import HTML, display\ndisplay(HTML('<b>bars</b>'))", "plot"),
    ],
    "counted": [
        (
            (
                "import sys\nimport counter\n\ncounter.ran += 1\n"
                "before = list(sys.modules['test_scopes'].order)"
            ),
        )
    ],
    "pipeline": [
        ("data = [3, 1, 2]", "load", "id:the-load"),
        ("data.sort()",),
        ("model = sum(data)", "train"),
        ("report = f'model {model}'",),
        ("n = 0\n1 / n", "bad", "twice", "raises-exception"),
        ("def f(:", "typo", "twice"),
    ],
    "names": [
        (
            (
                "rate = 1\n\ndef helper(n):\n    return n * rate\n\n"
                "def scaled(n):\n    return helper(n)"
            ),
        ),
        ('run = "the notebook\'s run"\nfiles = !ls names.ipynb\nfiles = list(files)',),
        ("40 + 2",),
    ],
    "awaits": [
        (
            (
                "import asyncio\n\nqueue = asyncio.Queue()\nloop = asyncio.get_running_loop()\n"
                "await asyncio.sleep(0)\nanswer = 42\ntimes = 0"
            ),
        ),
        ("await asyncio.sleep(0)\ntimes += 1", "again"),
    ],
    "report": [
        ("rows = 100\npath_of_data = 'default.csv'", "parameters"),
        ("doubled = 2 * rows",),
    ],
    "from_testbook": [
        ("def func(a, b):\n    return a + b",),
        ("func(1, 2)", "sum"),
        ("print('hello', 'world')", "greet"),
        ("frame = {'a': {1, 2}}",),
        ("len(frame)", "needs-frame"),
        (
            (
                "import os\n\ndef count_files(folder):\n    return len(os.listdir(folder))\n\n"
                "def greeting():\n    return os.environ['GREETING']\n\n"
                "def length_of_x():\n    return len(x)\n\n"
                "def call_func():\n    return func(1, 1)\n\n"
                "class Counter:\n    n = 0\n    def up(self):\n        self.n += 1"
            ),
        ),
    ],
    "with_tests": [
        ("%load_ext nbxunit\nx = 1\nran = []",),
        ("%%xunit_setup module\nran.append('hook')",),
        ("%%xunit_test test_cell\nran.append('test')",),
        ("def test_function():\n    ran.append('function')",),
    ],
}
"""Cells: the source, and tags, among which `id:NAME` is the cell's id."""


def write(folder: Path) -> None:
    """Write all of it into `folder`."""
    folder.mkdir()
    for name, source in MODULES.items():
        (folder / name).write_text(source)
    for name, cells in NOTEBOOKS.items():
        write_one(folder / f"{name}.ipynb", cells)


def write_one(path: Path, cells: list[tuple[str, ...]], **metadata: object) -> None:
    """Write one notebook, with a text cell at the top."""
    made = [new_markdown_cell(f"# {path.stem}")]
    for source, *words in cells:
        cell = new_code_cell(source)
        cell.metadata["tags"] = [word for word in words if not word.startswith("id:")]
        for word in words:
            if word.startswith("id:"):
                cell["id"] = word.removeprefix("id:")
        made.append(cell)
    nbformat.write(new_notebook(cells=made, metadata={**METADATA, **metadata}), path)
