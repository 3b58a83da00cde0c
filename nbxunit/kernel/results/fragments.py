"""The smallest pieces of HTML that results are made of; the one place where text is escaped.

Imports the standard library and the style. JupyterLab shows a notebook that it does not trust
without style, script, svg, ids and roles, so there is none but the style, the meaning is in signs and
words, and blanks between parts are blanks.
"""

from __future__ import annotations

import html

from nbxunit.kernel.cells.registry import Cell
from nbxunit.kernel.results.style import STYLE
from nbxunit.protocol import clean

SIGNS = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "skipped": "-",
    "xfailed": "x",
    "xpassed": "X",
    "hook": "⚙",
}
COLOURS = {"passed": "ok", "failed": "bad", "error": "warn", "xpassed": "warn"}
SPACE_BETWEEN = '<span class="grow"> · </span>'
"""What moves the rest of a line to its right end; without style it is what parts the two."""
LIMIT = 10_000
"""Characters that are shown of one text; saved notebooks stay small."""


def h(text: object) -> str:
    """`text` for HTML: escaped, without control characters, cut where it is very long."""
    plain = clean(str(text))
    if len(plain) > LIMIT:
        half = LIMIT // 2
        plain = f"{plain[:half]}\n… {len(plain) - 2 * half} characters left out …\n{plain[-half:]}"
    return html.escape(plain)


def frame(*parts: str) -> str:
    """A whole output; JupyterLab would take what stands between two dollar signs for a formula."""
    return f'{STYLE}<div class="nbx tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


def attribute(value: str) -> str:
    """`value` inside quotes; data of images is never cut."""
    return html.escape("".join(value.split()))


def flow(*parts: str) -> str:
    """Parts on one line, with blanks between them."""
    return f'<div class="row">{" ".join(parts)}</div>'


def glyph(outcome: str) -> str:
    """The sign of an outcome."""
    return f'<span class="i {colour(outcome)}">{SIGNS.get(outcome, "·")} </span>'


def colour(outcome: str) -> str:
    """The class of the colour of an outcome."""
    return COLOURS.get(outcome, "dim")


def link(cell: Cell | None) -> str:
    """The number of a cell, which leads to it where the front end has told its id."""
    if cell is None:
        return ""
    label = f"[{cell.number}]"
    return f'<a href="#cell-id={html.escape(cell.id)}">{label}</a>' if cell.id else label


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """Something below a line that unfolds it."""
    start = '<details class="cap" open>' if is_open else '<details class="cap">'
    return f'{start}<summary class="dim s">{h(summary)}</summary>{body}</details>'
