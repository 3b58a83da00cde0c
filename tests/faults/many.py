"""Many notebooks in one run, each with a fault of its own: what was reported for each of them."""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import Any

CONFTEST = """
import json, os, time

IN_KERNEL = "NBXUNIT_KERNEL" in os.environ

def pytest_runtest_logreport(report):
    if IN_KERNEL:
        return
    outcome = report.outcome
    if outcome == "failed" and (report.when != "call" or getattr(report, "nbxunit_died", False)):
        outcome = "error"
    if outcome != "passed" or report.when == "call":
        text = report.longreprtext + "".join(text for _, text in report.sections)
        line = [report.nodeid, outcome, text, time.monotonic()]
        with open(os.environ["REPORTS"], "a") as file:
            file.write(json.dumps(line) + "\\n")
"""
LAST = "def test_last(): pass"


@dataclasses.dataclass
class Told:
    """What was reported for one notebook: counts, all texts, seconds since the one before."""

    counts: dict[str, int]
    text: str
    seconds: float


class Batch:
    """One run of the notebooks in a folder, and of one more behind them that is sound."""

    def __init__(self, shell: Any, *options: str, timeout: float = 300) -> None:
        (shell.folder / "conftest.py").write_text(CONFTEST)
        shell.write("zzz.ipynb", LAST)
        self.folder = shell.folder
        reports = shell.folder / "reports"
        reports.touch()
        (shell.folder / "tmp").mkdir()
        shell.env |= {"REPORTS": str(reports), "TMPDIR": str(shell.folder / "tmp")}
        self.result = shell.run(".", *options, "--ignore=tmp", timeout=timeout, width=200)
        self.left = shell.kernels()
        self._told: dict[str, list[tuple[str, str, float]]] = collections.defaultdict(list)
        self._begin: dict[str, float] = {}
        before = None
        for line in reports.read_text().splitlines():
            nodeid, outcome, text, at = json.loads(line)
            name = nodeid.partition(".ipynb")[0]
            self._begin.setdefault(name, at if before is None else before)
            self._told[name].append((outcome, f"{nodeid}: {text}", at))
            before = at

    def told(self, name: str) -> Told:
        """What was reported for the notebook `name`.ipynb."""
        told = self._told[name]
        counts = dict(collections.Counter(outcome for outcome, _, _ in told))
        seconds = told[-1][2] - self._begin[name] if told else 0.0
        return Told(counts, "\n".join(text for _, text, _ in told), seconds)

    def went_on(self) -> None:
        """The run came to its end, failed, ran the notebook behind the others, and left nothing."""
        assert self.result.exit == 1, self.result.output
        assert self.told("zzz").counts == {"passed": 1}
        assert self.left == []
