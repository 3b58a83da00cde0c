"""What cannot be the body of a hook or test, and what would test nothing: refused, at its line.

Imports the standard library.
"""

from __future__ import annotations

import ast

from nbxunit import directives
from nbxunit.directives import Directive
from nbxunit.kernel.cells import syntax
from nbxunit.kernel.cells.registry import Cell

_NO_TEST = (*syntax.DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)
"""Statements that test nothing by themselves."""


class Refused(SyntaxError):
    """A cell's text cannot be the body of a function; shown as any error of syntax in a cell is."""


Refused.__name__ = SyntaxError.__name__


def error(cell: Cell, lineno: int, message: str) -> Refused:
    """What is wrong with the cell at a line."""
    lines = directives.lines_of(cell.source)
    text = lines[lineno - 1] if 0 < lineno <= len(lines) else None
    return Refused(message, (cell.filename, lineno, 1, text))


def same(cell: Cell, exc: SyntaxError, lineno: int) -> Refused:
    """The error that Python has found, with the cell's own text."""
    refused = error(cell, exc.lineno or lineno, exc.msg)
    if refused.text is not None and refused.text == (exc.text or "").rstrip("\n"):
        refused.offset, refused.end_offset = exc.offset, exc.end_offset
        refused.end_lineno = exc.end_lineno
    return refused


def check_text(cell: Cell, lines: list[str], first: int) -> None:
    """Refused for a line that would declare another hook or test."""
    number = directives.misplaced(cell.source)
    if number is not None:
        raise error(cell, number, f"{lines[number - 1]!r} must be the first line of its cell")
    for number, line in enumerate(lines[first:], first + 1):
        if line.startswith("%%xunit_"):
            raise error(
                cell,
                number,
                "a cell declares one hook or one test; put this into a cell of its own",
            )


def check_body(cell: Cell, directive: Directive, tree: ast.Module) -> None:
    """Refused for what a body cannot hold, and for one that tests nothing."""
    if directive.kind == "test" and not tree.body:
        raise error(cell, 1, f"{directive.label} has no body, so it would test nothing")
    for node in syntax.own_nodes(tree.body):
        message = _refusal(directive, node)
        if message:
            raise error(cell, getattr(node, "lineno", 1), message)
    if directive.kind == "test":
        _check_tests_something(cell, tree)


def _check_tests_something(cell: Cell, tree: ast.Module) -> None:
    """A test cell that defines tests, or nothing but functions and classes, would pass untested."""
    defined = [node for node in tree.body if isinstance(node, syntax.DEFINITIONS)]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lost = [node for node in defined if _looks_like_test(node) and node.name not in used]
    if defined and all(isinstance(node, _NO_TEST) or _is_constant(node) for node in tree.body):
        lost = lost or defined
    if lost:
        name = lost[0].name
        raise error(
            cell,
            lost[0].lineno,
            f"{name} is only defined in this test cell, and nothing runs it; take the first line "
            f"away if {name} is a test of its own, else call it here",
        )


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _refusal(directive: Directive, node: ast.AST) -> str | None:
    """Why `node` cannot stand in the body of a hook or test."""
    if isinstance(node, ast.Yield | ast.YieldFrom):
        instead = (
            "a teardown cell or nbxunit.add_cleanup" if directive.kind != "test" else "a fixture"
        )
        return f"yield cannot stand in a {directive.kind} cell; use {instead}"
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return f"from __future__ cannot stand in a {directive.kind} cell; put it into a cell above"
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return f"import * cannot stand in a {directive.kind} cell; name what you import, or import it in a cell above"
    if directive.kind != "test" and _looks_like_test(node):
        name = getattr(node, "name", "")
        return (
            f"{name} is defined in a hook cell, where it would never run; give it a cell of its own"
        )
    return None


def _looks_like_test(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.startswith("test")
    return isinstance(node, ast.ClassDef) and (
        node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases)
    )
