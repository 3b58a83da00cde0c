"""One test as HTML: its outcome, what is wrong with it, what it displayed.

Imports the standard library and the model. All text goes through `fragments.h`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from nbxunit.kernel.cells.differing import Difference
from nbxunit.kernel.cells.registry import HookRun
from nbxunit.kernel.results.fragments import attribute, colour, flow, folded, glyph, h, link
from nbxunit.kernel.results.model import Display, Row, TestResult
from nbxunit.kernel.results.problems import LINES_BEFORE, Place, Problem
from nbxunit.kernel.results.text import milliseconds

ALIKE = 20
"""So many problems of one test, as its subtests have, are explained."""
OPEN_LINES = 10
"""Captured output of so many lines is shown unfolded."""
SLOW = 0.1
"""Seconds from which on a hook of a passed test is worth a word."""
_OUT = "out tex2jax_process mathjax_process"


def single(row: Row) -> str:
    """The only test of a run: one line, and below it what is wrong."""
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
        f'<span class="s"><span class="{colour(test.outcome)}">{h(outcome(row))}</span>'
        f'<span class="dim"> · {h(" · ".join(facts))}</span></span>',
    )
    return head + details(test) + displays(test, is_open=True)


def outcome(row: Row) -> str:
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


def details(test: TestResult) -> str:
    """What is wrong with a test, if something is."""
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
    hooks = [f"{hook_of(run)} (already run)" for run in test.earlier_hooks]
    hooks += map(hook_of, test.hooks)
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
    if each.difference is not None:
        yield from _difference(each.difference)
    yield from (f'<pre class="dim s">{h(cause)}</pre>' for cause in each.causes)
    yield _source(each, test)
    yield from _captured("variables", "\n".join(each.variables))


def _difference(difference: Difference) -> Iterator[str]:
    """How data differ: in words, and a table of the first differing values."""
    yield from (f'<div class="s">{h(line)}</div>' for line in difference.lines)
    if difference.table:
        head, *rows = difference.table
        names = "".join(f"<th>{h(name)}</th>" for name in head)
        body = "".join(f"<tr>{''.join(f'<td>{h(cell)}</td>' for cell in row)}</tr>" for row in rows)
        yield f'<table class="d"><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>'


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


def hook_of(run: HookRun) -> str:
    """A hook that ran: where, whether it passed, its time."""
    mark = "✓" if run.passed else "✗"
    return f"{h(run.hook.directive.label)} {link(run.hook.cell)} {mark} {milliseconds(run.seconds)}"


def displays(test: TestResult, *, is_open: bool = False) -> str:
    """What a test displayed, unfolded where it did not pass, or with `is_open`."""
    if not test.displays:
        return ""
    count = f"{len(test.displays)} display{'s' if len(test.displays) > 1 else ''}"
    shown = "".join(f'<div class="{_OUT}">{_display(each)}</div>' for each in test.displays)
    return folded(count, shown, is_open=is_open or test.outcome != "passed")


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
