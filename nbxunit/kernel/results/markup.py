"""Results as HTML, for front ends that show it: the same model and words as `text`.

Imports the standard library and the model. All text goes through `fragments.h`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from nbxunit.kernel.cells.registry import Cell
from nbxunit.kernel.results import markup_of_test
from nbxunit.kernel.results.fragments import (
    SPACE_BETWEEN,
    colour,
    flow,
    folded,
    frame,
    glyph,
    h,
    link,
)
from nbxunit.kernel.results.model import BAD, ORDER, Results, Row, TestResult
from nbxunit.kernel.results.text import milliseconds

LISTED = 100
"""So many passed tests are listed, the slowest of more; so many failed ones are explained."""
SPACE = 300_000
"""Characters behind which failures are not explained any more; saved notebooks stay small."""
_TOP = 'style="text-align:left;vertical-align:top"'


def lines(said: Iterable[tuple[str, str, str]]) -> str:
    """Lines, each of a sign, what it is about, and what there is to say."""
    return frame(
        *(
            flow(glyph(sign), f'<code>{h(head)}</code> <span class="dim s">{h(rest)}</span>')
            for sign, head, rest in said
        )
    )


def render(results: Results) -> str:
    """`results`: one line for a test that passed, else counts, and what needs a person first."""
    notes = [f'<div class="dim s">{h(note)}</div>' for note in results.notes]
    if len(results.tests) == 1 and not results.errors and not results.message:
        (row,) = results.rows()
        body = [markup_of_test.single(row), *_footer(results)]
        if results.counts.total() - results.counts["warning"] > 1:
            body.insert(0, _head(results))
        return frame(*notes, *body)
    return frame(*notes, *_broken(results), *_table(results), *_footer(results))


def progress(results: Results, running: str, seconds: float) -> str:
    """A run that is under way."""
    at = min(len(results.tests) + 1, results.planned)
    counts = _counts(results)
    return frame(
        flow(
            f"<b>Running {at} of {results.planned}</b>",
            f'<code class="dim">{h(running)}</code>',
            f'{SPACE_BETWEEN}<span class="s">{counts}{" · " if counts else ""}'
            f'<span class="dim">{seconds:.1f} s</span></span>',
        ),
        _bar(results, max(results.planned, 1)),
    )


def _head(results: Results) -> str:
    count = len(results.tests)
    tests = f"{count} test{'s' if count != 1 else ''}" if count else "no tests ran"
    total = f"{tests} in {results.seconds:.2f} s"
    return flow(
        f"<span>{_counts(results)}</span>",
        f'{SPACE_BETWEEN}<span class="dim s">{total}</span>',
    )


def _counts(results: Results) -> str:
    words = []
    for word, text in results.words():
        tag = "b" if word in BAD else "span"
        words.append(f'<{tag} class="{colour(word)}">{h(text)}</{tag}>')
    return " · ".join(words)


def _bar(results: Results, total: int) -> str:
    parts = []
    for name in ("ok", "bad", "warn", "dim"):
        count = sum(results.counts[word] for word in ORDER if colour(word) == name)
        if count:
            parts.append(f'<b class="{name}" style="width:{100 * count / total:.1f}%"></b>')
    return f'<div class="bar">{"".join(parts)}</div>'


def _table(results: Results) -> Iterator[str]:
    ran = sum(results.counts[word] for word in ORDER)
    if results.tests or not results.errors:
        yield _head(results)
    if ran:
        yield _bar(results, ran)
    rows = results.rows()
    bad = [row for row in rows if row.test.outcome in BAD]
    yield _rows(_bad_rows(bad))
    for outcome in ("skipped", "xfailed", "passed"):
        tests = [test for test in results.tests.values() if outcome in test.counted]
        if tests:
            yield _folded_tests(outcome, tests)


def _rows(rows: Iterable[str]) -> str:
    joined = "".join(rows)
    return f'<table class="t">{joined}</table>' if joined else ""


def _cells_of_row(sign: str, body: str, cell: Cell | None, seconds: float) -> str:
    return (
        f'<tr><td {_TOP}>{glyph(sign)}</td><td class="w" style="text-align:left">{body}</td>'
        f'<td class="s" {_TOP}>{link(cell)}</td>'
        f'<td class="r dim s" style="vertical-align:top;white-space:nowrap">{milliseconds(seconds)}</td></tr>'
    )


def _bad_rows(rows: Iterable[Row]) -> Iterator[str]:
    used = 0
    for index, row in enumerate(rows):
        markup = _bad_row(row, explain=index < LISTED and used < SPACE)
        used += len(markup)
        yield markup


def _bad_row(row: Row, *, explain: bool) -> str:
    test = row.test
    kind = test.problems[0].kind if test.problems else ""
    facts = " · ".join(
        filter(
            None,
            ["" if test.outcome == "failed" else markup_of_test.outcome(row), test.reason, kind],
        )
    )
    head = f'<code>{h(row.name)}</code> <span class="{colour(test.outcome)} s">{h(facts)}</span>'
    details = (markup_of_test.details(test) + markup_of_test.displays(test)) if explain else ""
    body = f"<details open><summary>{head}</summary>{details}</details>" if details else head
    hook = test.failed_hook if row.others else None
    return _cells_of_row(
        test.outcome, body, hook.cell if hook is not None else test.cell, test.seconds
    )


def _folded_tests(outcome: str, tests: list[TestResult]) -> str:
    summary = f"{len(tests)} {outcome} · {milliseconds(sum(test.seconds for test in tests))}"
    if len(tests) > LISTED:
        tests = sorted(tests, key=lambda test: -test.seconds)[:LISTED]
        summary += f" · the slowest {LISTED} are listed"
    rows = _rows(_plain_row(test, outcome) for test in tests)
    return f'<details><summary class="dim s">{h(summary)}</summary>{rows}</details>'


def _plain_row(test: TestResult, outcome: str) -> str:
    # What an error in the teardown has besides stands with the error.
    displays = markup_of_test.displays(test) if test.outcome == outcome else ""
    body = f"<code>{h(test.name)}</code>{_because(test)}{displays}"
    return _cells_of_row(outcome, body, test.cell, test.seconds)


def _because(test: TestResult) -> str:
    return f' <span class="dim s">{h(test.reason)}</span>' if test.reason else ""


def _broken(results: Results) -> Iterator[str]:
    if results.message:
        yield f'<pre class="bad">{h(results.message)}</pre>'
    for each in results.errors:
        yield flow(glyph("error"), '<b class="warn">the notebook could not be collected</b>')
        yield f'<div class="panel warn"><pre>{h(each.full)}</pre></div>'


def _footer(results: Results) -> Iterator[str]:
    if results.ending:
        yield flow(glyph("error"), f'<b class="warn">{h(results.ending)}</b>')
    if not results.tests and not results.errors:
        yield from (f'<div class="dim s">{h(reason)}</div>' for reason in results.reasons)
    if results.warnings:
        count = f"{len(results.warnings)} warning{'s' if len(results.warnings) > 1 else ''}"
        yield folded(count, f"<pre>{h(chr(10).join(results.warnings))}</pre>")
    if len(results.tests) > 1:
        yield from _hooks(results)
    if results.closing:
        yield f'<div class="dim s">{h(results.closing)}</div>'


def _hooks(results: Results) -> Iterator[str]:
    """The hooks of a run: those of wide scopes and those that failed, the others counted."""
    runs = [run for test in results.tests.values() for run in test.hooks]
    named = [
        run for run in runs if not run.passed or run.hook.directive.scope in ("module", "class")
    ]
    times = Counter((run.hook.cell.key, run.passed) for run in named)
    # By its cell: a setup that fails for each test fails with the same words.
    once = {(run.hook.cell.key, run.passed): run for run in named}
    words = [
        f"{markup_of_test.hook_of(run)}{f', {n} times' if (n := times[key]) > 1 else ''}"
        for key, run in once.items()
    ]
    if len(runs) > len(named):
        words.append(f"{len(runs) - len(named)} more ✓" if words else f"{len(runs)} ✓")
    if words:
        yield f'<div class="dim s">hooks: {" · ".join(words)}</div>'
