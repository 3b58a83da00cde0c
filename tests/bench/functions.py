"""A thousand test functions in a notebook, beside plain pytest on the same code: a table in Markdown.

    python tests/bench/functions.py [ROUNDS]

Runs in an environment that has nbxunit, Linux only. All are run in turns, once before to warm their caches:
then pytest has the rewritten module, and nbxunit the rewritten cells. What one test takes stands beside, since
that is what processes and imports take. Medians; ratios are to pytest within each round.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import corpora
from measure import Cost, cost, table
from suite import write_notebook

TESTS = 1000
IN_A_CELL = 5
NBXUNIT = ("-m", "nbxunit", "run", "-q", "it.ipynb")
PYTEST = ("-m", "pytest", "-q", "test_it.py")
COMMANDS = {
    "pytest": PYTEST,
    "nbxunit, one cell": NBXUNIT,
    f"nbxunit, cells of {IN_A_CELL}": NBXUNIT,
    "pytest, one test": PYTEST,
    "nbxunit, one test": NBXUNIT,
}


def write(runner: str, folder: Path) -> None:
    """What a runner is given."""
    folder.mkdir()
    module = corpora.functions(1 if "one test" in runner else TESTS)
    size = IN_A_CELL if "cells" in runner else TESTS
    tests = module.split("\n\n")
    if runner.startswith("pytest"):
        (folder / "test_it.py").write_text(module)
    else:
        cells = ["\n\n".join(tests[at : at + size]) for at in range(0, len(tests), size)]
        write_notebook(folder / "it.ipynb", cells)


def main(rounds: int = 5) -> None:
    """Print the table."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHONDONT")
    } | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found: dict[str, list[Cost]] = {runner: [] for runner in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for runner in COMMANDS:
            write(runner, work / runner)
        for number in range(rounds + 1):
            for runner, command in COMMANDS.items():
                each = cost([sys.executable, *command], work / runner, variables, work / "log")
                if number:
                    found[runner].append(each)
    print(table("runner", found, "pytest"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
