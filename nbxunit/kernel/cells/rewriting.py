"""Ordinary cells when they are compiled: what they define is noted, asserts of tests are rewritten.

May import pytest's rewriting through `compat`. All other code stays as Python makes it: it may be
compiled by numba, or pickled to a process without pytest.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from IPython.core.error import InputRejected

from nbxunit import bodies
from nbxunit.kernel.cells import syntax
from nbxunit.kernel.cells.registry import Cell, Doubt
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.compat import nodes as pytest_nodes

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

_Node = TypeVar("_Node", bound=ast.AST)


class CellTransformer:
    """The AST transformer of the shell. `defined` is called with the names of what a cell defines."""

    def __init__(self, notebook: Notebook, defined: Callable[[list[str]], None]) -> None:
        self._notebook = notebook
        self._defined = defined
        self._rests = False
        self._cell: Cell | None = None

    def visit(self, tree: ast.Module) -> ast.Module:
        """The tree of a cell, rewritten. InputRejected if that fails (another error ends us)."""
        if self._rests:
            return tree
        try:
            self._visit(tree)
        except Exception as exc:
            raise InputRejected(f"nbxunit cannot rewrite the asserts of this cell: {exc}") from exc
        return tree

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Within, the shell transforms what is no ordinary cell."""
        self._rests = True
        try:
            yield
        finally:
            self._rests = False

    def _visit(self, tree: ast.Module) -> None:
        notebook = self._notebook
        notebook.place(tree)
        nodes = [node for node in tree.body if isinstance(node, bodies.DEFINITIONS)]
        self._defined([node.name for node in nodes])
        if not notebook.runs_cell:
            return
        cell, before = notebook.cell, self._cell
        self._cell = cell  # what the cell runs inside itself comes later, or as another
        is_whole = cell is not before and notebook.registry.cells.get(cell.key) is cell
        found = syntax.found(tree, (ast.Assert, ast.Delete))
        if not found:
            return
        notebook.registry.kept.delete(syntax.deleted_names(tree.body))
        notebook.registry.doubt(cell.key, doubts(cell, tree))
        if notebook.patterns.rewrites:
            tests = notebook.patterns.are_tests(nodes, notebook.namespace)
            if not (is_whole and self._is_known(cell, tests)):
                rewrite_tests(tests, cell.filename)

    def _is_known(self, cell: Cell, tests: list[ast.stmt]) -> bool:
        """Whether the code of the tests of a cell is known from a run before, where it can be."""
        kept, shell = self._notebook.kept_code, self._notebook.shell
        if not tests or len(shell.ast_transformers) > 1:
            return False
        flags = f"{shell.compile.flags} {shell.autoawait}"
        return kept.take((cell.source, ipython.cached_text(cell.filename), flags), tests)


def doubts(cell: Cell, tree: ast.AST) -> list[Doubt]:
    """What Python warns of in the code of a cell, as a run that collects the cell is to say."""
    message = "assertion is always true, perhaps remove parentheses?"
    return [Doubt(cell.filename, line, message) for line in syntax.asserted_tuples(tree)]


def rewrite_tests(nodes: Iterable[ast.stmt], filename: str) -> None:
    """Let the asserts in these functions, and in the methods of these classes, explain themselves.

    What the rewriting imports are names of each function: those of the notebook are the user's.
    """
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            rewrite_tests(node.body, filename)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and syntax.found(
            node, (ast.Assert,)
        ):
            module = ast.Module([node], [])
            pytest_nodes.rewrite_asserts(module, filename)
            at = 1 if ast.get_docstring(node, clean=False) is not None else 0
            imports = [each for each in module.body if each is not node]
            node.body[at:at] = [_placed(each, node.body[at]) for each in imports]


def _placed(node: _Node, where: ast.AST) -> _Node:
    return ast.fix_missing_locations(ast.copy_location(copy.copy(node), where))
