"""What a Dask cluster costs: small notebooks on two workers of this machine, beside `-n 2`, in turns.

    python tests/bench/on_dask.py [ROUNDS]

Runs in an environment that has nbxunit[dask], Linux only. The scheduler and its workers are there before, as a
cluster is; CPU is that of all processes, of the cluster's while a run lasts. Medians; ratios are to -n 2 within
each round.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import corpora
import psutil
from measure import Cost, cost, table

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import clusters

NOTEBOOKS = 40
RUN = ("-m", "nbxunit", "run", "-q", ".")


def spent(cluster: clusters.Cluster) -> float:
    """Seconds of CPU of a cluster's processes, and of what has ended of what they started."""
    total = 0.0
    for process in cluster.processes.values():
        whole = psutil.Process(process.pid)
        for each in (whole, *whole.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def main(rounds: int = 5) -> None:
    """Print the table."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    variables = {**os.environ, **alone}
    found: dict[str, list[Cost]] = {"-n 2": [], "--dask": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        corpora.small(work / "notebooks", NOTEBOOKS)
        (work / "cluster").mkdir()
        with clusters.cluster(work / "cluster") as cluster:
            for worker in ("one", "two"):
                cluster.start(worker, python=sys.executable, **alone)
            for number in range(rounds + 1):
                for way, costs in found.items():
                    words = ("-n", "2") if way == "-n 2" else ("--dask", str(cluster.file))
                    before = spent(cluster)
                    each = cost(
                        [sys.executable, *RUN, *words], work / "notebooks", variables, work / "log"
                    )
                    cpu = each.cpu + spent(cluster) - before
                    if number:  # the first only warms caches
                        costs.append(Cost(each.wall, cpu, each.memory, each.left))
    print(table(f"{NOTEBOOKS} notebooks", found, "-n 2"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
