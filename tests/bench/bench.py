"""nbxunit and its peers on the same notebooks, in turns, in a throw-away environment.

    python tests/bench/bench.py                     all corpora, five rounds, growth, inline
    python tests/bench/bench.py --only one,twenty --rounds 3 --no-growth

Linux only: processes are counted and measured in /proc. Prints tables in Markdown: medians, and the
median of the ratios to nbmake within each round.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import corpora
from measure import Cost, cost

ROOT = Path(__file__).parents[2]
PEERS = ("jupyterlab", "nbmake", "nbval", "ploomber-engine", "matplotlib", "pandas")
VERSIONS = ("nbxunit", "nbmake", "nbval", "ploomber-engine", "nbclient", "ipykernel", "ipython", "pytest", "jupyterlab")  # fmt: skip  # noqa: E501
CORPORA = ("one", "twenty", "chatty", "asserts", "cells", "functions")
TITLES = {
    "one": "1 notebook, 5 cells",
    "twenty": "20 notebooks of 5 cells",
    "chatty": "100 cells that print 100 lines, one 1 MB image",
    "asserts": "1,000 asserting cells",
    "cells": "1,000 `%%xunit_test` cells",
    "functions": "1,000 test functions in one cell",
}
Command = Callable[[Path], list[str]]


def pytest_with(*words: str, files: str) -> Command:
    """Pytest with one plugin on the files of a folder."""
    return lambda folder: ["-m", "pytest", "-q", *words, *map(str, sorted(folder.glob(files)))]


def nbxunit(*words: str) -> Command:
    """`nbxunit run` on a folder's notebooks."""
    return lambda folder: [
        "-m", "nbxunit", "run", "-q", "--check-execution", *words, *map(str, sorted(folder.glob("*.ipynb"))),
    ]  # fmt: skip


def script(source: str) -> Command:
    """A script that is given a folder's notebooks."""
    return lambda folder: ["-c", source, *map(str, sorted(folder.glob("*.ipynb")))]


RUNNERS: dict[str, Command] = {
    "nbxunit": nbxunit(),
    "nbxunit -n 2": nbxunit("-n", "2"),
    "nbmake": pytest_with("-p", "nbmake.pytest_plugin", "--nbmake", files="*.ipynb"),
    "nbval (lax)": pytest_with("-p", "nbval.plugin", "--nbval-lax", files="*.ipynb"),
    "jupyter execute": script("from nbclient.cli import main; main()"),
    "ploomber-engine": script(
        "import sys; from ploomber_engine import execute_notebook\n"
        "for file in sys.argv[1:]: execute_notebook(file, file + '.out')"
    ),
    "pytest on the .py": pytest_with(files="*.py"),
}  # fmt: skip
WITHOUT = {"cells": {"nbmake", "nbval (lax)", "jupyter execute", "ploomber-engine"}}
"""What only nbxunit can run is compared with nbmake's time for the same asserts."""


def environment(folder: Path) -> Path:
    """The interpreter of a new environment with nbxunit, its peers and JupyterLab."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT), *PEERS], check=True)
    return python


class Bench:
    """Runs commands on copies of corpora."""

    def __init__(self, python: Path, work: Path) -> None:
        self._python = python
        self._work = work
        self._variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "PYTHON"))
        } | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        corpora.make(work / "corpora")

    def run(self, name: str, command: Command, corpus: Path | None = None) -> Cost:
        """The cost of `command` on a fresh copy of a corpus."""
        here = self._work / "run"
        corpora.copy(corpus or self._work / "corpora" / name, here)
        return cost([str(self._python), *command(here)], here, self._variables, self._work / "log")

    def rounds(self, name: str, count: int) -> dict[str, list[Cost]]:
        """All runners in turns, `count` times, after one round that only warms caches."""
        runners = {
            runner: command
            for runner, command in RUNNERS.items()
            if runner not in WITHOUT.get(name, ())
        }
        found: dict[str, list[Cost]] = {runner: [] for runner in runners}
        for number in range(count + 1):
            for runner, command in runners.items():
                each = self.run(name, command)
                if number:
                    found[runner].append(each)
                print(f"{name} {number} {runner}: {each}", file=sys.stderr)
        return found


def table(found: dict[str, list[Cost]], base: Sequence[Cost]) -> str:
    """One corpus as a Markdown table; ratios are to `base`, round by round."""
    lines = ["| runner | wall, s | CPU, s | wall / nbmake | CPU / nbmake | MB | left |"]
    lines.append("|---|---|---|---|---|---|---|")
    for runner, costs in found.items():
        middle = statistics.median
        wall = middle(each.wall / other.wall for each, other in zip(costs, base, strict=True))
        cpu = middle(each.cpu / other.cpu for each, other in zip(costs, base, strict=True))
        lines.append(
            f"| {runner} | {middle(each.wall for each in costs):.2f} "
            f"| {middle(each.cpu for each in costs):.2f} | {wall:.2f} | {cpu:.2f} "
            f"| {max(each.memory for each in costs):.0f} | {max(each.left for each in costs)} |"
        )
    return "\n".join(lines)


def growth(bench: Bench, work: Path) -> str:
    """How nbxunit's cost grows with notebooks, cells, tests and output."""
    lines = ["| work | wall, s | CPU, s | MB |", "|---|---|---|---|"]

    def measured(what: str, folder: Path, command: Command) -> None:
        each = bench.run(what, command, folder)
        lines.append(f"| {what} | {each.wall:.2f} | {each.cpu:.2f} | {each.memory:.0f} |")

    for count in (1, 20, 50, 100, 200):
        corpora.small(work / f"small{count}", count)
        measured(f"{count} notebooks", work / f"small{count}", nbxunit())
    for count in (10, 100, 1000, 10_000):
        folder = work / f"tests{count}"
        folder.mkdir()
        corpora.write_notebook(folder / "tests.ipynb", [corpora.functions(count)])
        measured(f"{count:,} tests", folder, nbxunit())
    for count in (10, 100, 1000, 10_000):
        folder = work / f"cells{count}"
        folder.mkdir()
        corpora.write_notebook(folder / "cells.ipynb", [f"x = {n}" for n in range(count)])
        measured(f"{count:,} cells", folder, nbxunit())
    for size in (1, 10, 100):
        folder = work / f"output{size}"
        folder.mkdir()
        source = f"for _ in range({size * 10_000}):\n    print('x' * 99)"
        corpora.write_notebook(folder / "output.ipynb", [source])
        measured(f"{size} MB of output", folder, nbxunit())
    return "\n".join(lines)


def tax(bench: Bench, work: Path) -> str:
    """What the installed plugin costs a run of pytest that has nothing to do with notebooks."""
    (work / "empty").mkdir()

    def spent(*words: str) -> float:
        words = ("--collect-only", *words)
        source = f"import sys, pytest; sys.exit(pytest.main({list(words)}) != 5)"  # no tests
        return bench.run("empty", lambda _: ["-c", source], work / "empty").cpu

    pairs = [(spent(), spent("-p", "nbxunit")) for _ in range(21)]
    taxes = statistics.median(with_plugin - without for without, with_plugin in pairs)
    return f"pytest --collect-only in an empty folder: {taxes * 1000:.0f} ms of CPU more with the plugin"


def inline(python: Path) -> str:
    """What a test cell takes in a live kernel."""
    variables = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    script = Path(__file__).with_name("inline.py")
    return subprocess.run(
        [python, script], env=variables, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(CORPORA), help="corpora, separated by commas")
    parser.add_argument(
        "--python", type=Path, help="the interpreter of an environment that is there"
    )
    parser.add_argument("--no-growth", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        python = options.python or environment(work / "environment")
        bench = Bench(python, work)
        versions = subprocess.run(
            [python, "-c", f"import importlib.metadata as m; print(', '.join(f'{{n}} {{m.version(n)}}' for n in {VERSIONS}))"],  # noqa: E501
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        print(
            f"{dt.datetime.now(dt.UTC).date()}, Python {sys.version.split()[0]}, {os.cpu_count()} cores; {versions}"
        )
        peer: Sequence[Cost] = ()
        for name in options.only.split(","):
            found = bench.rounds(name, options.rounds)
            peer = found.get("nbmake", peer) or next(iter(found.values()))
            print(f"\n### {TITLES[name]}\n\n{table(found, peer)}", flush=True)
        if not options.no_growth:
            print(f"\n### Growth\n\n{growth(bench, work)}\n\n{tax(bench, work)}")
            print(f"\n### Inline, ms\n\n{inline(python)}")


if __name__ == "__main__":
    main()
