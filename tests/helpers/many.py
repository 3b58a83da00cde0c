"""Many notebooks in one run, each with a fault of its own: what was reported for each of them."""

from __future__ import annotations

import collections
import dataclasses
import json
from pathlib import Path
from typing import Any

from shells import Shell

CONFTEST = """
import json, os, time

IN_KERNEL, REPORTS = "NBXUNIT_KERNEL" in os.environ, os.environ["REPORTS"]

def note(*what):
    with open(REPORTS, "a") as file:
        file.write(json.dumps([*what, time.monotonic()]) + "\\n")

def pytest_configure(config):
    if IN_KERNEL:
        note(os.path.relpath(config.args[0], config.rootpath), "began", "")

def pytest_runtest_logreport(report):
    if IN_KERNEL:
        return
    outcome = report.outcome
    if outcome == "failed" and (report.when != "call" or getattr(report, "nbxunit_died", False)):
        outcome = "error"
    if outcome != "passed" or report.when == "call":
        text = report.longreprtext + "".join(text for _, text in report.sections)
        note(report.nodeid, outcome, text)

def pytest_collectreport(report):
    if not report.passed:
        pytest_runtest_logreport(report)
"""
NOW = """__import__("conftest").note("NAME.ipynb", "began", "")"""
"""Code that a notebook runs right before its fault: from then on its time is taken."""
LAST = "def test_last(): pass"


@dataclasses.dataclass
class Told:
    """What was reported for one notebook: counts, all texts, and how many seconds it took.

    They are taken from its beginning, or from its `NOW`, to its last report; reports come in order,
    so not from before the notebook in front of it was reported.
    """

    counts: dict[str, int]
    text: str
    seconds: float


NOTHING = Told({}, "nothing was told", 0.0)


class Batch:
    """One run of the notebooks in a folder, and of one more behind them that is sound."""

    def __init__(self, shell: Shell, *options: str, timeout: float = 300) -> None:
        self.folder = shell.folder
        self._shell, self._options = shell, options
        self._sources = {
            path: path.read_bytes() for path in shell.folder.rglob("*.ipynb") if path.is_file()
        }
        self._alone: list[Path] = []
        shell.write("zzz.ipynb", LAST)
        self.result, self._told = self._run(shell, timeout)
        self.left = _left(shell)

    def _run(self, shell: Shell, timeout: float) -> tuple[Any, dict[str, Told]]:
        (shell.folder / "conftest.py").write_text(CONFTEST)
        (shell.folder / "tmp").mkdir()
        reports = shell.folder / "reports"
        reports.touch()
        shell.env |= {"REPORTS": str(reports), "TMPDIR": str(shell.folder / "tmp")}
        result = shell.run(".", *self._options, "--ignore=tmp", timeout=timeout, width=200)
        return result, _read(reports)

    def told(self, name: str) -> Told:
        """What was reported for the notebook `name`.ipynb."""
        return self._told.get(_key(name), NOTHING)

    def told_alone(self, name: str) -> Told:
        """The same where the notebook runs by itself, in order and with nothing left."""
        folder = self.folder.with_name(f"{self.folder.name}-{len(self._alone)}")
        self._alone.append(folder)
        copy = folder / f"{name}.ipynb"
        copy.parent.mkdir(parents=True)
        copy.write_bytes(self._sources[self.folder / f"{name}.ipynb"])
        shell = Shell(folder, *self._shell.options)
        result, all_told = self._run(shell, timeout=90)
        told = all_told.get(_key(name), NOTHING)
        assert result.exit == int(bool({"failed", "error"} & set(told.counts))), result.output
        assert _left(shell) == [], result.output
        return told

    def went_on(self) -> None:
        """The run came to its end, failed, ran the notebook behind the others, and left nothing."""
        assert self.result.exit == 1, self.result.output
        assert self.told("zzz").counts == {"passed": 1}
        assert self.left == []


def _left(shell: Shell) -> list[str]:
    """The processes and temporary folders that a run has left."""
    return [*shell.kernels(), *map(str, (shell.folder / "tmp").glob("nbxunit-*"))]


def _read(reports: Path) -> dict[str, Told]:
    """What stands in the file that the conftest writes, for each notebook."""
    begun: dict[str, float] = {}
    told: dict[str, list[tuple[str, str, float]]] = collections.defaultdict(list)
    last, before = "", 0.0
    for line in reports.read_text().splitlines():
        nodeid, outcome, text, at = json.loads(line)
        name = _key(nodeid.partition(".ipynb")[0])
        if outcome == "began":
            begun[name] = max(begun.get(name, 0.0), at)
            continue
        if name != last:
            begun[name] = max(begun.get(name, 0.0), before)
        told[name].append((outcome, f"{nodeid}: {text}", at))
        last, before = name, at
    return {
        name: Told(
            dict(collections.Counter(outcome for outcome, _, _ in each)),
            "\n".join(text for _, text, _ in each),
            each[-1][2] - (begun[name] or each[-1][2]),
        )
        for name, each in told.items()
    }


def _key(name: str) -> str:
    return name.replace("\\", "/")  # as pytest writes it
