"""The values in an assert that was not rewritten: what its frame tells without running anything again.

Imports pure_eval, which comes with IPython, and only when an assert has failed.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbxunit.kernel.cells import data, syntax
from nbxunit.kernel.compat import nodes as pytest_nodes

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_CONTAINERS = (list, tuple, set, frozenset, dict)
_MANY = 10_000
"""Items of a container from which on its differences are not looked for."""
_OPERATORS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


def explain(notebook: Notebook, exc: BaseException | None) -> str | None:
    """Let an assert of a cell that has failed say its values, where it was not rewritten.

    What it says now is returned.
    """
    if not isinstance(exc, AssertionError) or not notebook.patterns.rewrites:
        return None
    explanation = _explanation(notebook, exc)
    if explanation is not None:
        message = f"{exc.args[0]}\n" if exc.args else ""
        exc.args = (message + explanation,)
    return explanation


def _explanation(notebook: Notebook, exc: AssertionError) -> str | None:
    """The failed assert with the values in it; None where `exc` is from no such assert."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or notebook.cell_of_file(trace.tb_frame.f_code.co_filename) is None:
        return None
    code = trace.tb_frame.f_code
    if pytest_nodes.is_rewritten(code):
        return None
    node = syntax.statement_at(trace, ast.Assert)
    return None if node is None else _Explained(trace.tb_frame).text(node.test)


class _Explained(ast.NodeTransformer):
    """An expression with values in place of the names, attributes and subscripts that have some."""

    def __init__(self, frame: types.FrameType) -> None:
        from pure_eval import Evaluator

        self._evaluator: Any = Evaluator.from_frame(frame)
        self._where: dict[str, str] = {}
        self._has_values = False

    def text(self, test: ast.expr) -> str | None:
        compared = self._compared(test)
        shown = compared or ast.unparse(self.visit(ast.parse(ast.unparse(test), mode="eval")))
        if not compared and not self._has_values:
            return None
        where = [f" +  where {value} = {source}" for source, value in self._where.items()]
        return "\n".join([f"assert {shown}", *where])

    def _compared(self, test: ast.expr) -> str | None:
        """How two plain values differ, in pytest's words: comparing them runs no code of others."""
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return None
        sides = [self._value(side) for side in (test.left, test.comparators[0])]
        if not all(side is not None and _is_plain(side[0]) for side in sides):
            return None
        (left,), (right,) = (side for side in sides if side is not None)
        return pytest_nodes.compared(_OPERATORS[type(test.ops[0])], left, right)

    def _value(self, node: ast.expr) -> tuple[object] | None:
        """The value of an expression, if it can be told safely."""
        from pure_eval import CannotEval

        try:
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                return (self._evaluator[node],)
            return (ast.literal_eval(node),)
        except (CannotEval, ValueError, TypeError, MemoryError, RecursionError):
            return None

    def _shown(self, node: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
        found = self._value(node)
        if found is None or isinstance(found[0], type | types.ModuleType) or callable(found[0]):
            return node
        self._has_values = True
        value = data.words(found[0]) or pytest_nodes.short_repr(found[0])
        if not isinstance(node, ast.Name):
            self._where[ast.unparse(node)] = value
        return ast.Name(value, ast.Load())

    visit_Name: Callable[..., ast.expr] = _shown  # noqa: N815
    visit_Attribute: Callable[..., ast.expr] = _shown  # noqa: N815
    visit_Subscript: Callable[..., ast.expr] = _shown  # noqa: N815

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """What is called stays as it is written."""
        node.args = [self.visit(each) for each in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node

    def _as_written(self, node: ast.expr) -> ast.expr:
        return node  # it binds names of its own, or would be run again

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = _as_written  # noqa: N815
    visit_GeneratorExp = visit_NamedExpr = visit_Await = visit_JoinedStr = _as_written  # noqa: N815


def _is_plain(value: object, depth: int = 5) -> bool:
    """Whether a value is of Python's own types throughout."""
    if type(value) in _PLAIN:
        return True
    if type(value) not in _CONTAINERS or depth == 0:
        return False
    items: Any = value
    if len(items) > _MANY:
        return False
    inside = [*items.values(), *items] if isinstance(items, dict) else items
    return all(_is_plain(item, depth - 1) for item in inside)
