"""From a save to its result on the screen of `nbxunit watch`, in seconds.

    python tests/bench/watching.py [SAVES]

A small notebook in a folder of its own is saved again and again, with a pause in which the next run gets
ready, less than a person makes, and without other plugins. Runs in an environment that has nbxunit[watch].
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import corpora
from suite import write_notebook
from terminals import Terminal

PAUSE = 2


def main(saves: int = 10) -> None:
    """Print the times, and their median."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.ipynb"
        write_notebook(path, list(corpora.SMALL))
        terminal = Terminal(Path(folder))
        try:
            terminal.screen()
            taken = []
            for number in range(saves):
                time.sleep(PAUSE)
                write_notebook(path, [*corpora.SMALL, f"z = {number}"])
                begin = time.perf_counter()
                shown = terminal.read("1 passed")
                taken.append(time.perf_counter() - begin)
                if "q: quit" not in shown:
                    terminal.read("q: quit")
        finally:
            terminal.close()
    print(" ".join(f"{each:.2f}" for each in taken))
    print(f"median {statistics.median(taken):.2f} s, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
