"""Results as HTML, for front ends that show it: the same model and words as `text`.

Imports the standard library and the model. All text goes through `fragments.h`.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator

from nbxunit.kernel.cells.registry import Cell, HookRun
from nbxunit.kernel.results.fragments import (
    SPACE_BETWEEN,
    attribute,
    colour,
    flow,
    folded,
    frame,
    glyph,
    h,
    link,
)
from nbxunit.kernel.results.model import BAD, ORDER, Display, Results, Row, TestResult
from nbxunit.kernel.results.outline import Entry, Node
from nbxunit.kernel.results.problems import LINES_BEFORE, Place, Problem
from nbxunit.kernel.results.text import milliseconds

LISTED = 100
"""So many passed tests are listed, the slowest of more; so many failed ones are explained."""
SPACE = 300_000
"""Characters behind which failures are not explained any more; saved notebooks stay small."""
ALIKE = 20
"""So many problems of one test, as its subtests have, are explained."""
OPEN_LINES = 10
"""Captured output of so many lines is shown unfolded."""
SLOW = 0.1
"""Seconds from which on a hook of a passed test is worth a word."""
_OUT = "out tex2jax_process mathjax_process"
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
        body = [_single(row), *_footer(results)]
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


def outline(top: Node) -> str:
    """A tree of hooks and tests."""
    return frame(f'<ul class="top">{_node(top)}</ul>')


# --- one test ---


def _single(row: Row) -> str:
    test = row.test
    facts = [milliseconds(test.seconds), *(each.kind for each in test.problems[:1])]
    if test.reason:
        facts.insert(0, test.reason)
    if test.outcome == "passed":
        facts += [
            f"{run.hook.directive.label} {milliseconds(run.seconds)}"
            for run in test.hooks
            if run.seconds > SLOW
        ]
    head = flow(
        glyph(test.outcome),
        f"<code>{h(test.name)}</code>",
        f'<span class="s"><span class="{colour(test.outcome)}">{h(_outcome(row))}</span>'
        f'<span class="dim"> · {h(" · ".join(facts))}</span></span>',
    )
    return head + _details(test) + _displays(test)


def _outcome(row: Row) -> str:
    """What became of a test, in words; of one that did not run, why."""
    test = row.test
    if test.outcome != "error":
        return test.outcome
    when = test.problems[0].when if test.problems else "setup"
    hook = test.failed_hook
    what = f"{hook.directive.scope} {hook.directive.kind}" if hook is not None else when
    if row.others:
        return f"{what} failed · {len(row.others) + 1} tests not run"
    return f"error in {what}" + (" · test not run" if when == "setup" else "")


def _details(test: TestResult) -> str:
    if not test.problems:
        return ""
    return f'<div class="panel {colour(test.outcome)}">{"".join(_problem_parts(test))}</div>'


def _problem_parts(test: TestResult) -> Iterator[str]:
    for each in test.problems[:ALIKE]:
        yield from _problem(each, test)
    if len(test.problems) > ALIKE:
        yield f'<div class="dim s">and {len(test.problems) - ALIKE} more like these</div>'
    for title, content in test.output.items():
        yield from _captured(title, content)
    hooks = [f"{_hook(run)} (already run)" for run in test.earlier_hooks]
    hooks += map(_hook, test.hooks)
    if hooks:
        yield f'<div class="dim s">hooks: {" → ".join(hooks)}</div>'
    full = "\n\n".join(each.full for each in test.problems)
    yield folded("full pytest report", f"<pre>{h(full)}</pre>")


def _problem(each: Problem, test: TestResult) -> Iterator[str]:
    colour = "bad" if each.when == "call" else "warn"
    if each.subtest:
        yield f'<div class="s">subtest <code>{h(each.subtest)}</code></div>'
    elif colour == "warn" and len(test.problems) > 1:
        yield f'<div class="s">in {h(each.when)}</div>'
    yield f'<pre class="{colour}">{h(chr(10).join(each.explanation))}</pre>'
    yield from (f'<pre class="dim s">{h(cause)}</pre>' for cause in each.causes)
    yield _source(each, test)
    yield from _captured("variables", "\n".join(each.variables))


def _source(each: Problem, test: TestResult) -> str:
    if each.place is None or not each.place.line:
        marked = "\n".join(text for text in each.source if text[:1] == ">")
        where = h(each.where) if each.place is None else f"Cell {link(each.place.cell)}"
        return f'<pre class="dim s">{where}</pre><pre>{h(marked)}</pre>' if where else ""
    first, *inner = [*each.calls, each.place]
    hook = test.failed_hook
    inside = ""
    if hook is not None and hook.cell.key == first.cell.key:
        inside = f", in {hook.directive.label}"
    elif each.when == "call" and test.cell is not None and test.cell.key == first.cell.key:
        inside = f", in {test.name}"
    places = [_place(first, inside, is_last=not inner)]
    places += [_place(place, "", is_last=place is each.place) for place in inner]
    return f'<div class="src">{"".join(places)}</div>'


def _place(place: Place, inside: str, *, is_last: bool) -> str:
    """A line of a cell: what failed, with the lines above it, or what called what failed."""
    lines = []
    for number, source in place.excerpt(LINES_BEFORE if is_last else 0):
        hot = ' class="hot"' if is_last and number >= place.line else ""
        mark = " ▸" if is_last and number == place.line else "  "
        lines.append(f'<pre{hot}><span class="n">{number:2}{mark} </span>{h(source)}</pre>')
    where = f"Cell {link(place.cell)}, line {place.line}{h(inside)}"
    return f'<pre class="dim s">{where}</pre>{"".join(lines)}'


def _captured(title: str, content: str) -> Iterator[str]:
    lines = content.strip("\n").splitlines()
    if content.strip():
        count = f"{len(lines)} line{'s' if len(lines) > 1 else ''}"
        summary = f"{title[:1].lower()}{title[1:]} · {count}"
        yield folded(
            summary, f"<pre>{h(chr(10).join(lines))}</pre>", is_open=len(lines) <= OPEN_LINES
        )


def _hook(run: HookRun) -> str:
    mark = "✓" if run.passed else "✗"
    return f"{h(run.hook.directive.label)} {link(run.hook.cell)} {mark} {milliseconds(run.seconds)}"


def _displays(test: TestResult) -> str:
    if not test.displays:
        return ""
    count = f"{len(test.displays)} display{'s' if len(test.displays) > 1 else ''}"
    shown = "".join(f'<div class="{_OUT}">{_display(each)}</div>' for each in test.displays)
    return folded(count, shown, is_open=test.outcome != "passed")


def _display(display: Display) -> str:
    """The form that JupyterLab would choose; HTML as it is, since it is the notebook's own."""
    if "text/html" in display.data:
        return str(display.data["text/html"])
    for mime in ("image/svg+xml", "image/png", "image/jpeg", "image/gif"):
        if mime in display.data:
            return _image(mime, display)
    return f"<pre>{h(display.plain)}</pre>"


def _image(mime: str, display: Display) -> str:
    data = display.data[mime]
    if mime == "image/svg+xml":
        data = str(data).encode()
    encoded = data if isinstance(data, str) else base64.b64encode(data).decode()
    told = display.metadata.get(mime, {})
    sizes = [
        f' {name}="{attribute(str(told[name]))}"' for name in ("width", "height") if name in told
    ]
    return f'<img src="data:{mime};base64,{attribute(encoded)}"{"".join(sizes)}>'


# --- many tests ---


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
        filter(None, ["" if test.outcome == "failed" else _outcome(row), test.reason, kind])
    )
    head = f'<code>{h(row.name)}</code> <span class="{colour(test.outcome)} s">{h(facts)}</span>'
    details = (_details(test) + _displays(test)) if explain else ""
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
    displays = _displays(test) if test.outcome == outcome else ""
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
        f"{_hook(run)}{f', {n} times' if (n := times[key]) > 1 else ''}"
        for key, run in once.items()
    ]
    if len(runs) > len(named):
        words.append(f"{len(runs) - len(named)} more ✓" if words else f"{len(runs)} ✓")
    if words:
        yield f'<div class="dim s">hooks: {" · ".join(words)}</div>'


# --- the tree ---


def _node(node: Node) -> str:
    hooks = " · ".join(
        f"{hook.directive.scope} {hook.directive.kind} {link(hook.cell)}" for hook in node.hooks
    )
    state = ' <b class="warn s">open</b>' if node.is_open else ""
    head = f'<b>{h(node.title)}</b>{state} <span class="dim s">{hooks}</span>'
    inner = "".join(map(_entry, node.tests)) + "".join(map(_node, node.children))
    if not inner:
        return f"<li>{head}</li>"
    return f"<li><details open><summary>{head}</summary><ul>{inner}</ul></details></li>"


def _entry(test: Entry) -> str:
    ran = f"{test.outcome} {milliseconds(test.seconds)}" if test.outcome else "has not run"
    facts = h(" · ".join([ran, *test.remarks]))
    head = f"{glyph(test.outcome)} <code>{h(test.name)}</code>"
    return f'<li>{head} <span class="dim s">{link(test.cell)} {facts}</span></li>'
