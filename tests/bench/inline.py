"""What a test cell takes inline, beside its body and a bare `pytest.main`: a table in Markdown.

    python tests/bench/inline.py [ROUNDS]

Runs in an environment that has nbxunit and pandas; `bench.py` runs it in its own. The body as a cell
and the test cell are executed in turns in one live kernel in which a hundred other test cells are
registered, at once and after a pause, as a person makes it; and then `pytest.main` on the equal file.
Medians in milliseconds, from request to idle.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

BODY = "assert 1 + 1 == 2"
CELLS = {
    "body": BODY,
    "test": f"%%xunit_test test_it\n{BODY}",
    "bare": "with contextlib.redirect_stdout(io.StringIO()): pytest.main(['-q', file])",
}
KERNELS = {
    "a small kernel": "",
    "pandas and a million objects": "import pandas\nheld = [{n: str(n)} for n in range(500_000)]",
}
PAUSES = (0, 0.2)
"""Seconds between two cells: none, as when all of them run, and less than a person takes."""


def executed(client: BlockingKernelClient, source: str) -> float:
    """Milliseconds that the cell `source` takes. RuntimeError if it fails."""
    begin = time.perf_counter()
    reply = client.execute_interactive(source, allow_stdin=False, output_hook=lambda _: None)
    taken = time.perf_counter() - begin
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{source!r} failed: {reply['content']}")
    return taken * 1000


def measured(data: str, folder: Path, rounds: int, pause: float) -> dict[str, float]:
    """The median of each of CELLS, after a pause, in a fresh kernel that holds `data`."""
    file = folder / "test_it.py"
    file.write_text(f"def test_it():\n    {BODY}\n")
    manager, client = start_new_kernel(cwd=str(folder))
    try:
        executed(client, f"import contextlib, io, pytest\nfile = {str(file)!r}\n{data}")
        executed(client, "%load_ext nbxunit\n%xunit_config run_cells=False")
        for number in range(100):
            executed(client, f"%%xunit_test test_{number}\n{BODY}")
        executed(client, "%xunit_config run_cells=True")
        found: dict[str, list[float]] = {name: [] for name in CELLS}
        for names in (("body", "test"), ("bare",)):  # which collects garbage, through all data
            for number in range(rounds + 1):
                for name in names:
                    time.sleep(pause)
                    taken = executed(client, CELLS[name])
                    if number:  # the first only warms caches
                        found[name].append(taken)
        return {name: statistics.median(each) for name, each in found.items()}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main(rounds: int = 40) -> None:
    """Print the table."""
    print(
        "| kernel | pause | body as a cell | test cell | test cell over its body | bare `pytest.main` |"
    )
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for (kernel, data), pause in itertools.product(KERNELS.items(), PAUSES):
            found = measured(data, Path(folder), rounds, pause)
            body, test, bare = (found[name] for name in CELLS)
            words = f"{kernel} | {pause:.1f} s | {body:.0f} | {test:.0f} | **{test - body:.0f}**"
            print(f"| {words} | {bare:.0f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
