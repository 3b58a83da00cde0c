"""One model of an inline run's results, made from pytest's reports; renderers only read it.

Imports the standard library and the registry. Counts and words are pytest's.
"""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from nbxunit.kernel.notebook import HookRun
from nbxunit.kernel.registry import Cell, Declaration
from nbxunit.protocol import clean

ORDER = ("failed", "error", "xpassed", "skipped", "xfailed", "passed")
"""Outcomes as they are listed: what needs a person first."""
TEXT_LINES = 60
"""Lines that are shown of an error that pytest has no marked lines for."""
LINES_BEFORE = 2
"""Lines of a cell that are shown above the one that failed."""
BAD = ("failed", "error", "xpassed")
"""Outcomes that a person looks at first."""
PLURAL = {"error": "errors", "warning": "warnings"}


@dataclasses.dataclass(frozen=True)
class Problem:
    """What went wrong in one phase: where, what, and pytest's full report.

    `cell` and `line` are the place where that is in a cell; line 0 is none of its lines.
    """

    when: str
    place: str
    message: str
    source: tuple[str, ...]
    """The line that failed and its explanation, as pytest marks them with > and E."""
    full: str
    cell: Cell | None = None
    line: int = 0

    @property
    def kind(self) -> str:
        """What it comes to in a word: `AssertionError`."""
        return headline(self.message)

    @property
    def explanation(self) -> list[str]:
        """What pytest marks with E, without the mark; else all that there is to show."""
        marked = [line[1:] for line in self.source if line[:1] == "E"]
        return textwrap.dedent("\n".join(marked or self.source or [self.message])).splitlines()

    def excerpt(self) -> list[tuple[int, str]]:
        """The line of the cell that failed behind those above it, with their numbers."""
        lines = self.cell.source.splitlines() if self.cell is not None else []
        if not 0 < self.line <= len(lines):
            return []
        first = max(1, self.line - LINES_BEFORE)
        return [(number, lines[number - 1]) for number in range(first, self.line + 1)]


@dataclasses.dataclass
class TestResult:
    """One test: `outcome` is pytest's word, `seconds` the sum of its phases."""

    __test__ = False

    nodeid: str
    outcome: str = "passed"
    counted: list[str] = dataclasses.field(default_factory=list)
    """All that pytest counts of it: passed, and an error in its teardown."""
    seconds: float = 0.0
    reason: str = ""
    problems: list[Problem] = dataclasses.field(default_factory=list)
    output: dict[str, str] = dataclasses.field(default_factory=dict)
    hooks: list[HookRun] = dataclasses.field(default_factory=list)
    cell: Cell | None = None
    displays: list[Mapping[str, Any]] = dataclasses.field(default_factory=list)
    """What the test displayed, as MIME bundles in order."""

    @property
    def name(self) -> str:
        """Its id without the notebook's."""
        return self.nodeid.partition("::")[2] or self.nodeid

    @property
    def failed_hook(self) -> Declaration | None:
        """The hook cell that failed around it."""
        return next((run.hook for run in self.hooks if not run.passed), None)


@dataclasses.dataclass
class Row:
    """A test as it is listed, and how many others its failed setup kept from running."""

    test: TestResult
    others: int = 0

    @property
    def name(self) -> str:
        """The test's name, or that of what it stands for: a class, or the notebook's tests."""
        if not self.others:
            return self.test.name
        hook = self.test.failed_hook
        if hook is not None and hook.directive.scope in ("module", "class"):
            return hook.directive.target or "module"
        return self.test.name.rpartition("::")[0] or self.test.name


@dataclasses.dataclass
class Results:
    """A run: its tests in order, what could not be collected, and how it ended.

    `cells` are those of the notebook by their labels; `planned` is how many tests were selected;
    `status` is pytest's exit status; `message` what pytest said where there was no run;
    `interrupted` the test that an interrupt ended.
    """

    tests: dict[str, TestResult] = dataclasses.field(default_factory=dict)
    errors: list[Problem] = dataclasses.field(default_factory=list)
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    warnings: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    status: int = 0
    message: str = ""
    reasons: list[str] = dataclasses.field(default_factory=list)
    interrupted: str = ""
    cells: Mapping[str, Cell] = dataclasses.field(default_factory=dict)
    planned: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    """What registration had to say."""

    def rows(self) -> list[Row]:
        """The tests, those first that need a person; one row where one setup failed for many."""
        rows: list[Row] = []
        seen: dict[tuple[str, str], Row] = {}
        for test in sorted(self.tests.values(), key=lambda test: ORDER.index(test.outcome)):
            key = _shared_setup(test)
            if key in seen:
                seen[key].others += 1
                continue
            rows.append(Row(test))
            if key is not None:
                seen[key] = rows[-1]
        return rows

    def summary(self) -> str:
        """The counts, as pytest's last line says them: `1 failed, 2 passed in 0.42 s`."""
        words = [
            f"{count} {word if count == 1 else PLURAL.get(word, word)}"
            for word in (*ORDER, "deselected", "warning")
            if (count := self.counts[word])
        ]
        return f"{', '.join(words) or 'no tests ran'} in {self.seconds:.2f} s"

    def add(self, data: Mapping[str, Any], category: str, hooks: Iterable[HookRun]) -> None:
        """Take up one report in serialised form; `category` is pytest's word for it."""
        if data.get("$report_type") == "CollectReport":
            self.errors.append(problem(data, self.cells))
            self.counts["error"] += 1
            return
        nodeid = data["nodeid"]
        if nodeid not in self.tests:
            cell = self.cells.get(_property(data, "cell"))
            self.tests[nodeid] = TestResult(nodeid, cell=cell)
        test = self.tests[nodeid]
        test.seconds += data.get("duration") or 0.0
        test.hooks.extend(hooks)
        test.output.update((name, text) for name, text in data.get("sections", ()))
        if category:
            self.counts[category] += 1
            test.counted.append(category)
        if category and (test.outcome == "passed" or category in ("failed", "error")):
            test.outcome = test.outcome if test.outcome in ("failed", "error") else category
        if data["outcome"] == "failed" and data.get("longrepr"):
            test.problems.append(problem(data, self.cells))
        if data["outcome"] == "skipped":
            test.reason = data.get("wasxfail") or _skip_reason(data.get("longrepr"))


def _shared_setup(test: TestResult) -> tuple[str, str] | None:
    """Where and how a setup failed, for tests that did not run because of it."""
    if test.outcome == "error" and len(test.problems) == 1 and test.problems[0].when == "setup":
        return test.problems[0].place, test.problems[0].message
    return None


def _property(data: Mapping[str, Any], name: str) -> str:
    return str(dict(data.get("user_properties") or ()).get(name, ""))


def _skip_reason(longrepr: Any) -> str:
    if isinstance(longrepr, (list, tuple)):
        return str(longrepr[-1]).removeprefix("Skipped: ")
    return ""


def problem(data: Mapping[str, Any], cells: Mapping[str, Cell]) -> Problem:
    """The problem that a failed report tells of; `cells` by their labels."""
    longrepr = data.get("longrepr")
    when = str(data.get("when", "collect"))
    cell = _property(data, "cell")
    if not isinstance(longrepr, dict) or "reprcrash" not in longrepr:
        text = longrepr.get("longrepr", "") if isinstance(longrepr, dict) else str(longrepr or "")
        lines = clean(str(text)).splitlines()
        return Problem(when, cell, lines[0] if lines else "", tuple(lines[1:]), "\n".join(lines))
    crash = longrepr["reprcrash"] or {}
    entries = longrepr["reprtraceback"]["reprentries"]
    texts = [text for entry in entries for text in (entry["data"].get("lines") or ())]
    lines = [line for text in texts for line in str(text).splitlines()]
    marked = [line for line in lines if line[:1] in (">", "E")]
    full = "\n".join(_full_lines(longrepr))
    path, line = _place(crash, entries)
    label = re.search(r"cell \d+$", path)
    return Problem(
        when, f"{path}, line {line}" if path else cell, str(crash.get("message", "")),
        tuple(marked or _told(lines)), full, cells.get(label[0] if label else cell), line,
    )  # fmt: skip


def _told(lines: list[str]) -> list[str]:
    """What is shown of a message without a traceback, or of a group of errors: its members.

    What stands above them is the way to where the group was raised, which is our code.
    """
    groups = (index for index, line in enumerate(lines) if "ExceptionGroup: " in line)
    return lines[next(groups, 0) :][:TEXT_LINES]


def _place(crash: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    """Where in a cell it went wrong; where the code of a cell had called what went wrong."""
    found = [crash, *(entry["data"].get("reprfileloc") or {} for entry in entries)][::-1]
    for place in [crash, *found]:
        if " cell " in str(place.get("path", "")):
            return str(place["path"]), int(place["lineno"])
    return "", 0


def _full_lines(longrepr: Mapping[str, Any]) -> Iterable[str]:
    chain = longrepr.get("chain") or [(longrepr["reprtraceback"], None, None)]
    for traceback, _, description in chain:
        for entry in traceback["reprentries"]:
            yield from entry["data"].get("lines") or ()
            place = entry["data"].get("reprfileloc")
            if place:
                yield ""
                yield f"{place['path']}, line {place['lineno']}: {place['message']}"
        if description:
            yield description


_EXCEPTION = re.compile(r"([A-Za-z_][\w.]*)(?=:|$)")


def headline(message: str) -> str:
    """What a crash message comes to in a word: the class of the exception, else its first line."""
    if message.startswith("assert "):
        return "AssertionError"
    match = _EXCEPTION.match(message)
    return match[1].rpartition(".")[2] if match else message.partition("\n")[0]
