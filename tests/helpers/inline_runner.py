"""Run the tests of a notebook inline: its cells and a last cell `%xunit_run`, by plain nbclient.

    python inline_runner.py NOTEBOOK [words for %xunit_run ...]

Exits with 1 if the notebook ends in an error, as a person would see it, else with 0. This is what
`tests/conformance/score.py --cmd` is given to score inline runs.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell


def run(path: Path, words: list[str]) -> NotebookClient:
    """Execute the notebook and `%xunit_run`; CellExecutionError if a cell fails."""
    notebook = nbformat.read(path, 4)
    cells = notebook.cells
    first = next((i for i, cell in enumerate(cells) if cell.source.startswith("%load_ext")), None)
    at = 0 if first is None else first + 1
    if first is None:
        cells.insert(0, new_code_cell("%load_ext nbxunit"))
        at = 1
    cells.insert(at, new_code_cell("%xunit_config run_cells=False"))
    cells.append(new_code_cell(f"%xunit_run {shlex.join(words)}"))
    client = NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    return client


def main(argv: list[str]) -> int:
    try:
        run(Path(argv[0]), argv[1:])
    except CellExecutionError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
