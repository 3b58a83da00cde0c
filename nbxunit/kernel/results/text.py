"""Results as plain text: pytest's words, one line a passed test, greppable, 80 columns.

Imports the standard library and `results`. No ANSI, so that logs and diffs stay clean.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from nbxunit.kernel.cells.registry import HookRun
from nbxunit.kernel.results.model import BAD, Results, Row, TestResult
from nbxunit.kernel.results.outline import Node
from nbxunit.kernel.results.problems import Problem
from nbxunit.protocol import clean

SIGNS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "-", "xfailed": "x", "xpassed": "X"}
ASCII_SIGNS = {"passed": "ok", "failed": "FAIL", "error": "ERROR", "skipped": "skip", "xfailed": "xfail", "xpassed": "XPASS"}  # fmt: skip  # noqa: E501
WIDTH = 80
WIDE = 500
"""So many characters are shown of a line of pytest's; it may hold a value of any size."""
LINES = 60
"""So many lines are shown of one problem."""
MANY = 50
"""So many tests of an outcome that is well are listed, so many others explained."""


def render(results: Results) -> str:
    """`results` as lines of text; ids without the notebook's."""
    lines = [*results.notes, *_broken(results)]
    explained = 0
    for row in results.rows():
        if row.test.outcome in BAD or results.counts[row.test.outcome] <= MANY:
            lines += _test(row, explain=explained < MANY)
            explained += bool(row.test.problems)
    lines += [f"warning: {shortened(text)}" for text in results.warnings[:MANY]]
    lines += [results.ending] if results.ending else []
    if not results.tests and not results.errors:
        lines += results.reasons
    if not results.message or results.tests:
        lines.append(results.summary())
    lines += [results.closing] if results.closing else []
    return clean("\n".join(lines))


def progress(results: Results, running: str, seconds: float) -> str:
    """One line for a run that is under way."""
    words = ", ".join(words for _, words in results.words())
    at = min(len(results.tests) + 1, results.planned)
    return f"running {at} of {results.planned}: {running}  {words}  {seconds:.1f} s"


def outline(top: Node) -> str:
    """A tree of hooks and tests."""
    return "\n".join(_outline(top, 0))


def _outline(node: Node, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{node.title}{'  (open)' if node.is_open else ''}"
    for hook in node.hooks:
        yield f"{indent}  [{hook.cell.number}] {hook.directive.label}"
    for test in node.tests:
        number = f"[{test.cell.number}] " if test.cell else ""
        state = []
        if test.outcome:
            state = [f"{sign(test.outcome)} {test.outcome}", milliseconds(test.seconds)]
        yield "  ".join([f"{indent}  {number}test {node.prefix}{test.name}", *state, *test.remarks])
    for child in node.children:
        yield from _outline(child, depth + 1)


def _broken(results: Results) -> Iterator[str]:
    if results.message:
        yield from results.message.splitlines()
    for each in results.errors:
        yield f"{sign('error')} the notebook could not be collected"
        yield from textwrap.indent(each.full, "    ").splitlines()


def sign(outcome: str) -> str:
    """The sign of an outcome; words where stdout cannot say more than ASCII."""
    try:
        SIGNS[outcome].encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ASCII_SIGNS[outcome]
    return SIGNS[outcome]


def _test(row: Row, *, explain: bool) -> Iterator[str]:
    test = row.test
    head = f"{sign(test.outcome)} {row.name}"
    if row.others:
        head += f" ({len(row.others) + 1} tests not run)"
    reason = f"  {shortened(test.reason)}" if test.reason else ""
    yield f"{head}  {test.outcome}{reason}  {milliseconds(test.seconds)}"
    if explain:
        for each in test.problems[:MANY]:
            yield from _problem(each)
        if len(test.problems) > MANY:
            yield f"    and {len(test.problems) - MANY} more like these"
        if test.problems:
            yield from _circumstances(test)
        for display in test.displays:
            yield f"    displayed: {shortened(display.plain)}"


def _problem(each: Problem) -> Iterator[str]:
    phase = "" if each.when == "call" else f"{each.when} failed"
    subtest = shortened(f"subtest {each.subtest}") if each.subtest else ""
    where = ", ".join(filter(None, [subtest, phase, each.where])) or "failed"
    yield f"    {where}: {shortened(each.kind)}"
    for line in each.source[:LINES]:
        yield f"    {line.rstrip() if len(line) <= WIDE else f'{line[:WIDE]}...'}"
    if len(each.source) > LINES:
        yield f"    ... {len(each.source) - LINES} more lines"
    yield from (f"    {shortened(line)}" for line in (*each.causes, *each.variables[:LINES]))


def _circumstances(test: TestResult) -> Iterator[str]:
    for title, text in test.output.items():
        if text.strip():
            joined = " | ".join(text.strip().split("\n"))
            yield f"    {title.removeprefix('Captured ')}: {shortened(joined)}"
    hooks = [f"{_hook(run)} before" for run in test.earlier_hooks] + list(map(_hook, test.hooks))
    if hooks:
        yield f"    hooks: {', '.join(hooks)}"


def _hook(run: HookRun) -> str:
    return f"{run.hook.directive.label} [{run.hook.cell.number}] {'ok' if run.passed else 'failed'}"


def shortened(text: str, width: int = WIDTH * 3) -> str:
    """`text` in one line of so many characters at most."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def milliseconds(seconds: float) -> str:
    """A duration as a person reads it."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
