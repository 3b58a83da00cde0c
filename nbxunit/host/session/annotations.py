"""What failed, as code hosts show it beside the changed lines: GitHub's annotations, GitLab's code quality.

May import pytest. Each has the line of the .ipynb file in which the failing line of a cell is.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbxunit.annotation import annotation
from nbxunit.host import compat
from nbxunit.limits import shortened
from nbxunit.lines import FileLines
from nbxunit.text_notebooks import SUFFIXES

_PLACE = re.compile(
    r"^(?:ERROR )?(?P<notebook>\S.*?\.ipynb) cell (?P<cell>\d+)(?:(?:, line |:)(?P<line>\d+))?"
    rf"|^(?:ERROR )?(?P<text>\S[^:\n]*\.(?:{'|'.join(suffix[1:] for suffix in sorted(SUFFIXES))})):(?P<number>\d+)",
    re.MULTILINE,
)
"""A place in a cell of a notebook, or in a text notebook, as reports have it at the begin of a line."""
MOST = 50
"""Annotations of a run; GitHub shows no more of a step than ten, and of a run than fifty."""
LONGEST = 4_000
"""Bytes of a message."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A failure: the test or notebook, where its line is, and what it says."""

    nodeid: str
    path: str
    line: int
    text: str


class Annotations:
    """The plugin that writes what failed in notebooks for GitHub, and into a `code_quality` file."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._findings: list[Finding] = []
        self._lines = functools.cache(FileLines)
        self._annotates = bool(
            config.getoption("nbxunit_annotate") or os.environ.get("GITHUB_ACTIONS") == "true"
        )
        self._code_quality = config.getoption("nbxunit_code_quality")
        self._is_worker = hasattr(config, "workerinput")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the failure of a test in a notebook."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a notebook that could not be collected."""
        self._note(report)

    def _note(self, report: Any) -> None:
        notebook = report.nodeid.partition("::")[0].partition("[")[0]
        is_asked = self._annotates or self._code_quality
        if not (is_asked and report.failed and is_of_kernel(report)):
            return
        text = str(report.longrepr)
        path = self._config.rootpath / notebook
        line = self._line_of(report, path)
        for match in _PLACE.finditer(text):
            there = self._path(match["notebook"] or match["text"], path)
            if there is not None:
                path, line = there, self._line(there, match)
        self._findings.append(
            Finding(report.nodeid, _in_repository(path), line, _message(report, text))
        )

    def _line_of(self, report: Any, path: Path) -> int:
        """Where the test of a report is, if it is one; that of a dead kernel names no other place."""
        line = (report.location[1] or 0) + 1
        cell = str(dict(getattr(report, "user_properties", ())).get("cell", ""))
        number = cell.removeprefix("cell ")
        in_cell = path.suffix == ".ipynb" and number.isdecimal()
        return self._lines(path).line(int(number), line) if in_cell else line

    def _line(self, path: Path, place: re.Match[str]) -> int:
        if place["text"]:
            return int(place["number"])
        return self._lines(path).line(int(place["cell"]), int(place["line"] or 1))

    def _path(self, name: str, notebook: Path) -> Path | None:
        """The file that a report calls `name`: by its path, or that of the notebook by its name.

        None for one that no change can touch: installed, or outside of the project.
        """
        if name == notebook.name:
            return notebook
        path = Path(os.path.normpath(self._config.rootpath / name))
        roots = (self._config.rootpath, *_roots(notebook.absolute()))
        is_ours = "site-packages" not in path.parts and any(map(path.is_relative_to, roots))
        return path if is_ours and path.is_file() else None

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the annotations; GitHub takes them from the output."""
        if self._annotates and not self._is_worker:
            for finding in self._findings[:MOST]:
                told = annotation("error", finding.path, finding.line, finding.nodeid, finding.text)
                terminalreporter.write_line(told)

    def pytest_sessionfinish(self) -> None:
        """Write the code quality report."""
        if self._code_quality and not self._is_worker:
            path = self._config.invocation_params.dir / self._code_quality
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(list(map(_quality, self._findings)), indent=1), "utf-8")


def is_of_kernel(report: Any) -> bool:
    """Whether a report is of a notebook or companion; others are of modules that run here."""
    is_told: bool = getattr(report, "nbxunit_told", False)
    return is_told or isinstance(report, compat.NotebookReport | compat.NotebookCollectReport)


def _message(report: Any, text: str) -> str:
    """What a report says in short: the message of what was raised, else its beginning."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return shortened(crash.message if crash is not None else text, LONGEST)


def _in_repository(path: Path) -> str:
    """The path as the repository has it, which begins where a `.git` is, or GitHub says so."""
    path = path.absolute()
    for folder in _roots(path):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()


def _roots(path: Path) -> Iterator[Path]:
    if workspace := os.environ.get("GITHUB_WORKSPACE"):
        yield Path(workspace).absolute()
    yield from (folder for folder in path.parents if (folder / ".git").exists())
    yield Path.cwd()


def _quality(finding: Finding) -> dict[str, Any]:
    """An entry of GitLab's code quality report."""
    identity = f"{finding.nodeid} {finding.text}".encode()
    return {
        "description": f"{finding.nodeid}: {finding.text}",
        "check_name": "nbxunit",
        "fingerprint": hashlib.sha256(identity).hexdigest(),
        "severity": "major",
        "location": {"path": finding.path, "lines": {"begin": finding.line}},
    }
