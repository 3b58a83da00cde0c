"""The tree of hooks and tests as HTML.

Imports the standard library and the model. All text goes through `fragments.h`.
"""

from __future__ import annotations

from nbxunit.kernel.results.fragments import frame, glyph, h, link
from nbxunit.kernel.results.outline import Entry, Node
from nbxunit.kernel.results.text import milliseconds


def outline(top: Node) -> str:
    """A tree of hooks and tests."""
    return frame(f'<ul class="top">{_node(top)}</ul>')


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
