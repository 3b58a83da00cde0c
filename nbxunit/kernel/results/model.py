"""One model of an inline run's results, made from pytest's reports; renderers only read it.

Imports the standard library and the registry. Counts and words are pytest's.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nbxunit.kernel.cells.registry import Cell, Declaration, HookRun
from nbxunit.kernel.results.problems import Problem, problem

ORDER = ("failed", "error", "xpassed", "skipped", "xfailed", "passed")
"""Outcomes as they are listed: what needs a person first."""
BAD = ("failed", "error", "xpassed")
"""Outcomes that a person looks at first."""
PLURAL = {"error": "errors", "warning": "warnings"}


@dataclasses.dataclass(frozen=True)
class Display:
    """What a test displayed, in each of its forms, by MIME type; `metadata` as Jupyter has it."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def plain(self) -> str:
        """Its text, or what else it is."""
        return str(self.data.get("text/plain", ", ".join(self.data)))


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
    earlier_hooks: list[HookRun] = dataclasses.field(default_factory=list)
    """The setups that had run before, and serve it too."""
    cell: Cell | None = None
    displays: list[Display] = dataclasses.field(default_factory=list)
    """What the test displayed, in order."""

    @property
    def name(self) -> str:
        """Its id without the notebook's."""
        return self.nodeid.partition("::")[2] or self.nodeid

    @property
    def path(self) -> tuple[str, ...]:
        """Its classes, outermost first."""
        return tuple(self.name.partition("[")[0].split("::")[:-1])

    @property
    def failed_hook(self) -> Declaration | None:
        """The hook cell that failed around it."""
        return next((run.hook for run in self.hooks if not run.passed), None)


@dataclasses.dataclass
class Row:
    """A test as it is listed, and the others that its failed setup kept from running."""

    test: TestResult
    others: list[TestResult] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """The test's name, or that of what all of them are in: a class, or the notebook."""
        if not self.others:
            return self.test.name
        hook = self.test.failed_hook
        if hook is not None and hook.directive.scope == "module":
            return "module"
        paths = [self.test.path, *(test.path for test in self.others)]
        common = itertools.takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
        return (
            "::".join(names[0] for names in common)
            or f"{self.test.name} and {len(self.others)} more"
        )


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
    stopped: str = ""
    """Why pytest ended the run before all tests had run."""
    cells: Mapping[str, Cell] = dataclasses.field(default_factory=dict)
    planned: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    """What registration had to say."""
    closing: str = ""
    """What is said last."""
    _set_up: list[tuple[tuple[str, ...], HookRun]] = dataclasses.field(default_factory=list)
    """The setups of wide scopes that have run, each with the classes of the test it ran for."""

    def rows(self) -> list[Row]:
        """The tests, those first that need a person; one row where one setup failed for many."""
        rows: list[Row] = []
        seen: dict[tuple[str, str], Row] = {}
        for test in sorted(self.tests.values(), key=lambda test: ORDER.index(test.outcome)):
            key = _shared_setup(test)
            if key in seen:
                seen[key].others.append(test)
                continue
            rows.append(Row(test))
            if key is not None:
                seen[key] = rows[-1]
        return rows

    def words(self) -> Iterator[tuple[str, str]]:
        """The counts in pytest's words, each behind what it counts: `("error", "2 errors")`."""
        known = (*ORDER, "deselected", "warning")
        for word in (*known, *(word for word in self.counts if word not in known)):
            if count := self.counts[word]:
                yield word, f"{count} {word if count == 1 else PLURAL.get(word, word)}"

    def summary(self) -> str:
        """The counts, as pytest's last line says them: `1 failed, 2 passed in 0.42 s`."""
        words = [words for _, words in self.words()]
        return f"{', '.join(words) or 'no tests ran'} in {self.seconds:.2f} s"

    @property
    def ending(self) -> str:
        """How the run ended, where not all of its tests have run."""
        left = self.planned - len(self.tests) - bool(self.interrupted)
        told = [f"{left} test{'s' if left > 1 else ''} not run"] if left > 0 else []
        if self.interrupted:
            name = self.interrupted.partition("::")[2] or "the collection"
            return ", ".join([f"interrupted in {name}", *told])
        return ", ".join([self.stopped.rstrip("."), *told]) if self.stopped and told else ""

    def add(self, data: Mapping[str, Any], category: str, hooks: Iterable[HookRun]) -> None:
        """Take up one report in serialised form; `category` is pytest's word for it."""
        if data.get("$report_type") == "CollectReport":
            self.errors.append(problem(data, self.cells))
            self.counts["error"] += 1
            return
        test = self._test(data)
        test.seconds += data.get("duration") or 0.0
        self._take_hooks(test, hooks)
        sections = [each for each in data.get("sections", ()) if each[0] != "subtest"]
        test.output.update((name, _last_states(text)) for name, text in sections)
        if category:
            self.counts[category] += 1
            test.counted.append(category)
        is_bad = category in ("failed", "error")
        # What a plugin counts besides, and a subtest that is well, is no outcome of the test.
        if is_bad or (category in ORDER and "_subtest.context" not in data):
            test.outcome = test.outcome if test.outcome in ("failed", "error") else category
        # Of a test whose subtests failed, pytest says only that in words of its own.
        is_said = isinstance(data.get("longrepr"), str) and any(p.subtest for p in test.problems)
        if data["outcome"] == "failed" and data.get("longrepr") and not is_said:
            test.problems.append(problem(data, self.cells))
        if data["outcome"] == "skipped":
            test.reason = _skip_reason(data.get("longrepr"))
        test.reason = data.get("wasxfail") or test.reason

    def _test(self, data: Mapping[str, Any]) -> TestResult:
        """The test that a report is about."""
        nodeid = data["nodeid"]
        if nodeid not in self.tests:
            cell = self.cells.get(str(dict(data.get("user_properties") or ()).get("cell", "")))
            test = self.tests[nodeid] = TestResult(nodeid, cell=cell)
            test.earlier_hooks = [
                run
                for path, run in self._set_up
                if test.path == path or _begins_with(test.path, run.hook.directive.path)
            ]
        return self.tests[nodeid]

    def end(self, status: int, seconds: float) -> None:
        """The run has ended. A test that has begun only, and of which nothing counts, did not run.

        Where tests did not run although pytest is content, as behind `pytest.exit("", 0)`, it is not.
        """
        self.tests = {name: test for name, test in self.tests.items() if test.counted}
        self.status, self.seconds = status, seconds
        if status == 0 and self.ending:
            self.status = 2

    def _take_hooks(self, test: TestResult, hooks: Iterable[HookRun]) -> None:
        """The hooks that ran with a test; a setup of a wide scope serves the tests behind it, too."""
        for run in hooks:
            test.hooks.append(run)
            directive = run.hook.directive
            if directive.scope not in ("module", "class"):
                continue
            same = (directive.scope, directive.path)
            if directive.kind == "teardown":
                self._set_up = [
                    (path, each)
                    for path, each in self._set_up
                    if (each.hook.directive.scope, each.hook.directive.path) != same
                ]
            elif run.passed:
                self._set_up.append((test.path, run))


def _begins_with(path: tuple[str, ...], start: tuple[str, ...]) -> bool:
    return path[: len(start)] == start


def _shared_setup(test: TestResult) -> tuple[str, str] | None:
    """Where and how a setup failed, for tests that did not run because of it."""
    if test.outcome == "error" and len(test.problems) == 1 and test.problems[0].when == "setup":
        return test.problems[0].where, test.problems[0].message
    return None


def _skip_reason(longrepr: Any) -> str:
    if isinstance(longrepr, (list, tuple)):
        return str(longrepr[-1]).removeprefix("Skipped: ")
    return ""


def _last_states(text: str) -> str:
    """`text` as a terminal shows it in the end: a carriage return begins its line again."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
