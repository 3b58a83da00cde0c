"""Which nodes of a parsed cell belong to the cell itself, and not to a function or class in it.

Imports the standard library.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES = (*DEFINITIONS, ast.Lambda)


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


def found(tree: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    """Whether there is a node of one of these kinds anywhere in `tree`."""
    return any(isinstance(node, kinds) for node in ast.walk(tree))


def asserted_tuples(tree: ast.AST) -> Iterator[int]:
    """The lines of asserts that cannot fail, since what they test is a tuple with items."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
            yield node.lineno


def deleted_names(nodes: Iterable[ast.AST]) -> list[str]:
    """The names that the statements `del NAME` of a body delete."""
    statements = [node for node in own_nodes(nodes) if isinstance(node, ast.Delete)]
    return [
        name.id
        for statement in statements
        for name in ast.walk(statement)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Del)
    ]
