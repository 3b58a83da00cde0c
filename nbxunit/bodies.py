"""What can be the body of a hook or test: told from its syntax, in a kernel and without one.

Imports the standard library, as all modules that both sides share.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nbxunit.directives import Directive

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES = (*DEFINITIONS, ast.Lambda)
_NO_TEST = (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)
"""Statements that test nothing by themselves."""


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes that belong to a body itself and to no function or class inside it."""
    todo: list[ast.AST] = list(nodes)
    while todo:
        node = todo.pop(0)
        yield node
        if isinstance(node, _SCOPES):
            # Decorators, defaults and bases are evaluated outside.
            args = getattr(node, "args", None)
            todo.extend(getattr(node, "decorator_list", []) + getattr(node, "bases", []))
            todo.extend([] if args is None else args.defaults + [d for d in args.kw_defaults if d])
        else:
            todo.extend(ast.iter_child_nodes(node))


def refusals(directive: Directive, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines and reasons for which a body cannot be that of a hook or test, or would test nothing."""
    if directive.kind == "test" and not tree.body:
        yield 1, f"{directive.label} has no body, so it would test nothing"
    for node in own_nodes(tree.body):
        message = _refusal(directive, node)
        if message:
            yield getattr(node, "lineno", 1), message
    if directive.kind == "test":
        yield from _untested(tree)


def _untested(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """A test cell that defines tests, or nothing but functions and classes, would pass untested."""
    defined = [node for node in tree.body if isinstance(node, DEFINITIONS)]
    if not defined:
        return
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lost = [node for node in defined if looks_like_test(node) and node.name not in used]
    if all(isinstance(node, _NO_TEST) or _is_constant(node) for node in tree.body):
        lost = lost or defined
    if lost:
        name = lost[0].name
        message = (
            f"{name} is only defined in this test cell, and nothing runs it; take the first line "
            f"away if {name} is a test of its own, else call it here"
        )
        yield lost[0].lineno, message


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
    if getattr(node, "is_lazy", False):  # new in Python 3.15, which refuses it in functions
        return f"lazy import cannot stand in a {directive.kind} cell; leave out lazy, or import in a cell above"
    if directive.kind != "test" and looks_like_test(node):
        name = getattr(node, "name", "")
        return (
            f"{name} is defined in a hook cell, where it would never run; give it a cell of its own"
        )
    return None


def looks_like_test(node: ast.AST) -> bool:
    """Whether a definition is a test by the names that pytest and unittest take."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.startswith("test")
    return isinstance(node, ast.ClassDef) and (
        node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases)
    )
