"""Five thousand notebooks on two hundred workers, in simulated time, against the least that it can take.

    python tests/bench/simulated_cluster.py

The session, its plan and its order of work are real (see `tests/helpers/simulated.py`). Notebooks take about
20 s, and one of them 20 minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import simulated

LONG = 1200.0


def main() -> None:
    """Print how long it takes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=200)
    options = parser.parse_args()
    chance = random.Random(1)
    names = [f"notebook_{number:05}" for number in range(options.count + 1)]
    print("| the long one | its seconds | s | least | ratio | first result, s |")
    print("|---|---|---|---|---|---|")
    for place in (0.4, 1.0):
        seconds = {name: chance.uniform(15, 25) for name in names}
        seconds[names[int(place * options.count)]] = LONG
        last_time = {name: each * chance.uniform(0.8, 1.25) for name, each in seconds.items()}
        for words, known in {"learned": last_time, "not known": {}}.items():
            with tempfile.TemporaryDirectory() as folder:
                done = simulated.simulated(Path(folder), options.workers, seconds, known)
            least = simulated.bound(options.workers, seconds)
            assert [name for _, name in done.results] == names
            print(
                f"| at {place:.0%} | {words} | {done.pool.now:,.0f} | {least:,.0f} "
                f"| {done.pool.now / least:.2f} | {done.results[0][0]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
