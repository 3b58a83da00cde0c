"""The two frames, series or arrays that a failed line compares, and where they differ.

Imports the standard library. Nothing is run again: a value counts that is a name, or an attribute or
item of data.
"""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

from nbxunit.kernel.cells import data, differing, syntax

if TYPE_CHECKING:
    from nbxunit.kernel.cells.differing import Difference
    from nbxunit.kernel.cells.notebook import Notebook

_FUNCTIONS = ("array_equal", "array_equiv", "allclose", "isclose", "equal")
"""Functions of two values that say whether they are the same; besides them, `assert_..._equal`."""
_METHODS = ("equals", "identical", "eq", "equal", "allclose", "broadcast_equals", "frame_equal")
"""Methods that do so with another value."""


def difference(notebook: Notebook, exc: BaseException) -> Difference | None:
    """How the two values differ that the line of a cell compares in which `exc` ended it, if it does."""
    if not isinstance(exc, AssertionError | ValueError):  # the truth of a frame is a ValueError
        return None
    trace = innermost(notebook, exc.__traceback__)
    statement = syntax.statement_at(trace, ast.stmt) if trace is not None else None
    if trace is None or not isinstance(statement, ast.Assert | ast.Expr):
        return None
    for node in ast.walk(statement):
        values = [_value(each, trace.tb_frame) for each in _compared(node)]
        found = differing.difference(*values) if values else None
        if found is not None:
            return found
    return None


def innermost(notebook: Notebook, trace: types.TracebackType | None) -> types.TracebackType | None:
    """The innermost entry of a traceback that is in a cell."""
    found = None
    while trace is not None:
        if notebook.cell_of_file(trace.tb_frame.f_code.co_filename) is not None:
            found = trace
        trace = trace.tb_next
    return found


def _compared(node: ast.AST) -> list[ast.expr]:
    """The two sides of a comparison, if `node` is one."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        return [node.left, node.comparators[0]]
    if not isinstance(node, ast.Call):
        return []
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if len(node.args) > 1 and (name in _FUNCTIONS or name.startswith("assert_")):
        return node.args[:2]
    if isinstance(function, ast.Attribute) and name in _METHODS and node.args:
        return [function.value, node.args[0]]
    return []


def _value(node: ast.expr, frame: types.FrameType) -> Any:
    """The value of a name, or of an attribute or item of data; else None."""
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if not isinstance(node, ast.Attribute | ast.Subscript):
        return None
    outer = _value(node.value, frame)
    if data.kind(outer) is None:
        return None
    try:
        if isinstance(node, ast.Attribute):
            return getattr(outer, node.attr)
        return outer[ast.literal_eval(node.slice)]
    except Exception:  # noqa: BLE001 - code of others
        return None
