"""Which nodes of a parsed cell belong to the cell itself, or stand where a traceback has come to.

Imports the standard library, and what both sides share.
"""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Iterable, Iterator
from typing import TypeVar

from nbxunit.bodies import own_nodes

_Statement = TypeVar("_Statement", bound=ast.stmt)


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


def statement_at(trace: types.TracebackType, kind: type[_Statement]) -> _Statement | None:
    """The innermost statement of a kind around the place that an entry of a traceback has come to."""
    code = trace.tb_frame.f_code
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return None
    line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
    place = line or trace.tb_lineno, column or 0
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kind)
        and (node.lineno, node.col_offset) <= place
        and place <= (node.end_lineno or 0, node.end_col_offset or 0)
    ]
    return max(found, key=lambda node: (node.lineno, node.col_offset), default=None)
