"""Companion tests and compared outputs beside testbook, nbmake and nbval: the same work, in turns.

    python tests/bench/companions.py PYTHON [ROUNDS]

PYTHON is that of an environment with nbxunit, testbook, nbmake and nbval. It prints a table of medians of the
wall time, and of the ratios within each round.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

NOTEBOOKS = 20
TESTS = 10
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SOURCES = ["import math", "rate = 2", "def scaled(n):\n    return rate * n", "print(scaled(3))", "math.sqrt(16)"]  # fmt: skip  # noqa: E501


def write(folder: Path) -> None:
    """Twenty notebooks with outputs, and of each a companion and a module for testbook."""
    notebook = new_notebook(cells=[new_code_cell(each) for each in SOURCES], metadata=METADATA)
    NotebookClient(notebook).execute()
    (folder / "companions").mkdir()
    (folder / "testbooks").mkdir()
    (folder / "notebooks").mkdir()
    for number in range(NOTEBOOKS):
        nbformat.write(notebook, folder / f"notebooks/n{number}.ipynb")
        ours = "".join(
            f"def test_{n}(notebook):\n    assert notebook.scaled({n}) == {2 * n}\n\n"
            for n in range(TESTS)
        )
        mark = f'import pytest\n\npytestmark = pytest.mark.notebook("../notebooks/n{number}.ipynb")\n\n'
        (folder / f"companions/test_n{number}.py").write_text(mark + ours)
        theirs = "".join(
            f'def test_{n}(tb):\n    assert tb.ref("scaled")({n}) == {2 * n}\n\n'
            for n in range(TESTS)
        )
        fixture = (
            "import pytest\nfrom testbook import testbook\n\n@pytest.fixture(scope='module')\n"
            f"def tb():\n    with testbook('notebooks/n{number}.ipynb', execute=True) as tb:\n"
            "        yield tb\n\n"
        )
        (folder / f"testbooks/test_tb{number}.py").write_text(fixture + theirs)


OURS = ("-m", "nbxunit", "run", "-q", "-p", "no:nbmake", "-p", "no:nbval")
THEIRS = ("-m", "pytest", "-q", "-p", "no:nbxunit")
COMMANDS = {
    "nbxunit, companions": [*OURS, "companions"],
    "nbxunit -n 2, companions": [*OURS, "companions", "-n", "2"],
    "testbook, module-scoped": [*THEIRS, "testbooks", "-p", "no:nbval", "-p", "no:nbmake"],
    "nbmake, the bare notebooks": [*THEIRS, "--nbmake", "notebooks", "-p", "no:nbval"],
    "nbxunit --check-outputs": [*OURS, "notebooks", "--check-outputs"],
    "nbval": [*THEIRS, "--nbval", "notebooks", "-p", "no:nbmake"],
}
"""What is run; none has to import the plugins of the others."""


def main() -> None:
    """Run all, in turns, and print the table."""
    python, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, words in COMMANDS.items():
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder))
                start = time.perf_counter()
                done = subprocess.run(
                    [python, *words, "-p", "no:cacheprovider"], cwd=folder, capture_output=True,
                    check=False, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                )  # fmt: skip
                times[name].append(time.perf_counter() - start)
                if done.returncode:
                    print(name, done.stdout[-2000:], done.stderr[-500:], sep="\n")
    print("| runner | wall, s | / testbook | / nbmake | / nbval |\n|---|---|---|---|---|")
    for name, own in times.items():
        ratios = [
            statistics.median(a / b for a, b in zip(own, times[peer], strict=True))
            for peer in ("testbook, module-scoped", "nbmake, the bare notebooks", "nbval")
        ]
        print(
            f"| {name} | {statistics.median(own):.2f} |",
            " | ".join(f"{r:.2f}" for r in ratios),
            "|",
        )


if __name__ == "__main__":
    main()
