"""Results as plain text: pytest's words, one line a passed test, greppable, 80 columns.

Imports the standard library and `results`. No ANSI, so that logs and diffs stay clean.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from nbxunit.kernel.notebook import HookRun
from nbxunit.kernel.results import ORDER, Problem, Results, TestResult, headline

SIGNS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "-", "xfailed": "x", "xpassed": "X"}
ASCII_SIGNS = {"passed": "ok", "failed": "FAIL", "error": "ERROR", "skipped": "skip", "xfailed": "xfail", "xpassed": "XPASS"}  # fmt: skip  # noqa: E501
WIDTH = 80
MANY = 50
"""So many passed tests are listed; more are only counted."""


def render(results: Results, notebook_id: str) -> str:
    """`results` as lines of text; ids without the notebook's."""
    lines = [*_broken(results)]
    tests = sorted(results.tests.values(), key=lambda test: ORDER.index(test.outcome))
    rows = _rows(tests)
    many = results.counts["passed"] > MANY
    for test, not_run in rows:
        if not (many and test.outcome == "passed"):
            lines += _test(test, test.nodeid.removeprefix(f"{notebook_id}::"), not_run)
    lines += [f"warning: {_shortened(text)}" for text in results.warnings]
    if results.interrupted:
        lines.append(f"interrupted in {results.interrupted.removeprefix(f'{notebook_id}::')}")
    if not results.tests and not results.errors:
        lines += results.reasons
    if not results.message or results.tests:
        lines.append(results.summary())
    return "\n".join(lines)


def _rows(tests: list[TestResult]) -> list[tuple[TestResult, int]]:
    """Each test and how many further tests its failed setup kept from running."""
    rows: list[tuple[TestResult, int]] = []
    seen: dict[tuple[str, str], int] = {}
    for test in tests:
        key = _shared_setup(test)
        if key and key in seen:
            first, count = rows[seen[key]]
            rows[seen[key]] = (first, count + 1)
            continue
        if key:
            seen[key] = len(rows)
        rows.append((test, 0))
    return rows


def _shared_setup(test: TestResult) -> tuple[str, str] | None:
    """Where and how a setup failed, for tests that did not run because of it."""
    if test.outcome == "error" and len(test.problems) == 1 and test.problems[0].when == "setup":
        return test.problems[0].place, test.problems[0].message
    return None


def _broken(results: Results) -> Iterator[str]:
    if results.message:
        yield from results.message.splitlines()
    for each in results.errors:
        yield f"{_sign('error')} the notebook could not be collected"
        yield from textwrap.indent(each.full, "    ").splitlines()


def _sign(outcome: str) -> str:
    try:
        SIGNS[outcome].encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ASCII_SIGNS[outcome]
    return SIGNS[outcome]


def _test(test: TestResult, name: str, not_run: int) -> Iterator[str]:
    head = f"{_sign(test.outcome)} {name}"
    if not_run:
        name = name.rpartition("::")[0] or name
        head = f"{_sign(test.outcome)} {name} ({not_run + 1} tests not run)"
    reason = f"  {_shortened(test.reason)}" if test.reason else ""
    yield f"{head}  {test.outcome}{reason}  {milliseconds(test.seconds)}"
    for each in test.problems:
        yield from _problem(each)
    if test.problems:
        yield from _circumstances(test)


def _problem(each: Problem) -> Iterator[str]:
    phase = "" if each.when == "call" else f"{each.when} failed"
    where = ", ".join(filter(None, [phase, each.place])) or "failed"
    yield f"    {where}: {headline(each.message)}"
    for line in each.source:
        yield f"    {line.rstrip()}"


def _circumstances(test: TestResult) -> Iterator[str]:
    for title, text in test.output.items():
        if text.strip():
            joined = " | ".join(text.strip().split("\n"))
            yield f"    {title.removeprefix('Captured ')}: {_shortened(joined)}"
    if test.hooks:
        yield f"    hooks: {', '.join(map(_hook, test.hooks))}"


def _hook(run: HookRun) -> str:
    return f"{run.hook.directive.label} [{run.hook.cell.number}] {'ok' if run.passed else 'failed'}"


def _shortened(text: str, width: int = WIDTH * 3) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def milliseconds(seconds: float) -> str:
    """A duration as a person reads it."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
