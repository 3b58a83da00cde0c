"""Five thousand notebooks on one host, without kernels: recorded runs, replayed by the real host.

    python tests/bench/replayed.py                    5,000 notebooks, and half as many for the growth
    python tests/bench/replayed.py --count 500 --profile
    python tests/bench/replayed.py --waits            the first ends last, so that all others wait for it

Three notebooks are run once, and what their kernels tell is written down. Then a session of as many copies
as asked is run as any is, but for `execute`, the one function that talks to a kernel: it tells what was
written down, as fast as it can. Linux only, as `measure`.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import corpora
import pytest
from measure import cost

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from suite import write_notebook

from nbxunit.host.running import local, plain
from nbxunit.host.running.control import Control

HOOKED = (
    "%load_ext nbxunit",
    "%%xunit_setup module\nrows = list(range(1000))\nprint('connected')",
    "%%xunit_setup\nmore = []",
    *(f"%%xunit_test test_{n}\nprint('row', {n})\nassert rows[{n}] == {n}" for n in range(5)),
    "%%xunit_teardown module\nprint('closed')",
)
FAILING = (*HOOKED, "%%xunit_test test_last\nassert [*rows, 1] == rows, 'a row too many'")
MODELS = {"small": corpora.SMALL, "hooked": HOOKED, "failing": FAILING}
FAILURES = 50
"""One of so many notebooks fails; of the others, two thirds are small."""


def main() -> None:
    """Print what it costs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--waits", action="store_true", help="let the first notebook end last")
    parser.add_argument("--profile", action="store_true", help="print what took most of the time")
    parser.add_argument("--as", dest="role", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        sys.exit(_act(options.role))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        models = work / "models"
        models.mkdir()
        for name, cells in MODELS.items():
            write_notebook(models / f"{name}.ipynb", list(cells))
        _run(models, work, "record")
        rates = []
        for count in (options.count // 2, options.count):
            here = work / str(count)
            _copy(models, here, count)
            role = "profile" if options.profile else "waits" if options.waits else "replay"
            spent = _run(here, work, role)
            rates.append(spent.cpu / count)
            print(
                f"{count:,} notebooks: {spent.cpu:.1f} s of CPU, {spent.wall:.1f} s, {spent.memory:.0f} MB"
            )
        print(f"a notebook of twice as many takes {rates[1] / rates[0]:.2f} of the time")


def _run(folder: Path, work: Path, role: str):
    variables = {
        **os.environ,
        "RECORDS": str(work / "records"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    log = work / "log"
    spent = cost([sys.executable, __file__, "--as", role], folder, variables, log)
    lines = log.read_text().splitlines()
    kept = (
        lines[-95:]
        if role == "profile"
        else [*filter(re.compile("open files").search, lines), lines[-1]]
    )
    print(*kept, sep="\n")
    return spent


def _copy(models: Path, folder: Path, count: int) -> None:
    """Copies of the models, a hundred in a folder, with the names of these in front."""
    for number in range(count):
        name = "failing" if number % FAILURES == 1 else "hooked" if number % 3 == 0 else "small"
        to = folder / f"part_{number // 100:02}"
        to.mkdir(parents=True, exist_ok=True)
        (to / f"{name}_{number:04}.ipynb").write_bytes((models / f"{name}.ipynb").read_bytes())


# --- in a process of its own ---

Execute = Callable[
    [local.Job, Control, Callable[..., None], Callable[[], Awaitable[None]], object],
    Awaitable[None],
]


def _act(role: str) -> int:
    local.execute = (
        _recording(local.execute) if role == "record" else _replaying(waits=role == "waits")
    )
    jobs = "50" if role == "waits" else "2"
    words = ["-p", "nbxunit", "--nbxunit", "-q", "--nbxunit-jobs", jobs, "."]
    if role != "record":
        words.append("--nbxunit-no-fork")
    with cProfile.Profile() as profile:
        if role != "profile":
            profile.disable()
        status = pytest.main(words)
    if role == "profile":
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        pstats.Stats(profile).sort_stats("cumtime").print_stats(30)
    return 0 if status in (0, 1) else int(status)


def _file(name: str) -> Path:
    return Path(f"{os.environ['RECORDS']}-{name}")


def _recording(execute: Execute) -> Execute:
    async def recording(job, control, emit, turn, forking):
        with _file(job.path.stem).open("w") as file:

            def emit_and_keep(*records):
                file.write(json.dumps([plain.encode(record) for record in records]) + "\n")
                emit(*records)

            await execute(job, control, emit_and_keep, turn, forking)

    return recording


def _replaying(*, waits: bool) -> Execute:
    told = {name: _file(name).read_text() for name in MODELS}
    left = sum(1 for _ in Path.cwd().rglob("*.ipynb"))
    last = asyncio.Event()

    async def replaying(job, _control, emit, turn, _forking):
        nonlocal left
        model = job.path.stem.partition("_")[0]
        text = told[model].replace(f"{model}.ipynb", f"{job.path.parent.name}/{job.path.name}")
        await turn()
        if waits and job.path.stem.endswith("_0000"):
            await last.wait()
            files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - nothing else runs meanwhile
            print(f"{files} open files while all wait", file=sys.__stderr__, flush=True)
        for line in text.splitlines():
            emit(*map(plain.decode, json.loads(line)))
            await asyncio.sleep(0)
        left -= 1
        if left == 1:
            last.set()

    return replaying


if __name__ == "__main__":
    main()
