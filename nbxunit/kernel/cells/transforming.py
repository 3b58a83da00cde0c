"""Lines of cells before they are parsed: comments that are our magics, magics that are awaited.

Imports the standard library. These are the input transformers of the shell.
"""

from __future__ import annotations

import ast
import re
from typing import TypeGuard

from nbxunit import bodies, directives

_RUNNING = ("xunit_run", "xunit_test", "xunit_open", "xunit_close", "xunit_reset")
"""The magics that run tests or hooks."""


def comments_as_magics(lines: list[str]) -> list[str]:
    """An input transformer of the shell: a first line `# xunit: test test_a` is the magic.

    SyntaxError for such a comment further down, which would be no test in silence.
    """
    first = directives.first(lines)
    if first is None:
        return lines
    source = "".join(lines)
    number = directives.misplaced(source)
    if number is not None:
        text = directives.lines_of(source)[number - 1].rstrip()
        message = f"{text!r} must be the first line of its cell"
        raise SyntaxError(message, ("<cell>", number, 1, text))
    line = lines[first].rstrip("\r\n")
    end = lines[first][len(line) :]
    magic = directives.as_magic(line)
    if not magic.startswith("%%xunit_"):
        return lines
    # With a debugger attached, ipykernel keeps blank lines, above which IPython knows no cell magic.
    return [magic + end, *lines[first + 1 :]]


def await_runs(lines: list[str]) -> list[str]:
    """An input transformer of the shell: cells await the magics that may run tests.

    Only a cell that awaits is run on the kernel's event loop, where tests that await can run.
    """
    text = "".join(lines)
    if not any(f"'{name}'" in text for name in _RUNNING):
        return lines
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return lines  # the shell says it, with the right line
    encoded = [line.encode() for line in re.findall(r"[^\n]*\n|[^\n]+", text)]
    calls = [node for node in bodies.own_nodes(tree.body) if _is_run(node)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        line = encoded[call.lineno - 1]
        encoded[call.lineno - 1] = line[: call.col_offset] + b"await " + line[call.col_offset :]
    return [line.decode() for line in encoded]


def _is_run(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether `node` is `get_ipython().run_line_magic('xunit_run', ...)` or the cell magic's call."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return False
    name = node.args[0]
    return (
        node.func.attr in ("run_line_magic", "run_cell_magic")
        and ast.unparse(node.func.value) == "get_ipython()"
        and isinstance(name, ast.Constant)
        and name.value in _RUNNING
    )
