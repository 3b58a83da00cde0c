"""What front ends tell a kernel about the cells that they execute, and what platforms do to it before.

    python front_ends.py FRONT_END NOTEBOOK

executes a notebook as that front end does, and writes what stands below each code cell as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import live

DATABRICKS = '''
import sys
import IPython.display

def databricks(shell):
    """The names of cells' files, namespace, display and handler of exceptions, as Databricks has them."""
    class Namespace(dict):
        seen = set()

        def __setitem__(self, name, value):
            self.seen.add(name)
            super().__setitem__(name, value)

    class Module:
        __spec__ = None

    name_code = shell.compile.get_code_name

    def get_code_name(raw, transformed, number):
        command = shell.kernel.get_parent("shell")["metadata"].get("command")
        name = f"/root/.ipykernel/1/command-{command}-{hash(raw) % 10**10}"
        return name if command else name_code(raw, transformed, number)

    def display(*tables, **options):
        raise TypeError("this display shows tables only")

    shell.compile.get_code_name = get_code_name
    shell.user_module = sys.modules["__main__"] = Module()
    shell.user_module.__dict__ = Namespace(shell.user_ns)
    shell.user_ns = shell.user_module.__dict__
    shell.user_ns["display"] = IPython.display.display = display
    shell.set_custom_exc((ImportError,), lambda *error, tb_offset=None: shell.showtraceback(error[1:]))

databricks(get_ipython())
'''
"""A cell that makes a kernel like one of Databricks; the id of a cell is `command` in its request."""

METADATA: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "no ids": lambda _: {},
    "cellId": lambda cell: {"cellId": cell, "deletedCells": []},
    "colab": lambda cell: {"colab": {"cell_id": cell, "base_uri": "https://localhost/"}},
    "databricks": lambda cell: {"command": sum(map(ord, cell)) * 10**9 + len(cell)},
}
"""What each front end sends with the cell that has this id."""


class FrontEnd:
    """Executes cells on a kernel, which has not loaded nbxunit yet, as a front end does."""

    def __init__(self, kernel: live.LiveKernel, name: str) -> None:
        self.name = name
        self._kernel = kernel
        self._metadata = METADATA[name]
        if name == "databricks":
            made = kernel.run(DATABRICKS)
            assert not made.error, made.text

    def run(self, code: str, cell: str) -> live.Reply:
        """Execute `code` as the cell with this id."""
        return self._kernel.run(code, metadata=self._metadata(cell))


def code_cells(path: Path) -> Iterator[tuple[str, str]]:
    """The ids and sources of a notebook's code cells; nbformat need not be there."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield cell["id"], "".join(cell["source"])


def main(name: str, notebook: str) -> None:
    """Execute the notebook, and write what stands below each code cell."""
    path = Path(notebook)
    with live.started(path.parent, loaded=False) as kernel:
        front_end = FrontEnd(kernel, name)
        replies = {cell: front_end.run(source, cell) for cell, source in code_cells(path)}
    shown = {cell: [*reply.texts, reply.error] for cell, reply in replies.items()}
    json.dump(shown, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
