"""Names of the notebook that a test cell reads before it binds them: they are its own, and not yet bound."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from nbxunit.bodies import DEFINITIONS
from nbxunit.check.findings import Finding
from nbxunit.check.reading import Cell, Notebook

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def check(notebook: Notebook) -> Iterator[Finding]:
    """`df = df.dropna()` in a test cell is an UnboundLocalError when it runs."""
    for cell, directive in notebook.declaring:
        if directive.kind != "test" or cell.tree is None:
            continue
        body = _Body(directive.parameters)
        for statement in cell.tree.body:
            body.visit(statement)
        own = body.early.keys() & (body.bound - body.declared)
        for name, line in body.early.items() if own else ():
            if name in own and name in _names(notebook):
                message = (
                    f"a test cell's names are its own, so {name} has no value yet where it is read; "
                    f"use another name, or write global {name}"
                )
                yield notebook.finding("rebinds", cell, line, message)


class _Body(ast.NodeVisitor):
    """What a body binds, and what it reads before that, in the order in which it is evaluated."""

    def __init__(self, parameters: tuple[str, ...]) -> None:
        self.bound: set[str] = set(parameters)
        self.declared: set[str] = {"self", *parameters}
        self.early: dict[str, int] = {}

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif node.id not in self.bound:
            self.early.setdefault(node.id, node.lineno)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        """The value is evaluated before the targets are bound."""
        if node.value is not None:
            self.visit(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self.visit(target)

    visit_AnnAssign = visit_Assign  # noqa: N815 - ast's

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """The target is read first."""
        if isinstance(node.target, ast.Name) and node.target.id not in self.bound:
            self.early.setdefault(node.target.id, node.lineno)
        self.visit(node.value)
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For  # noqa: N815 - ast's

    def visit_Try(self, node: ast.Try) -> None:
        """What is read in a `try` may be meant to fail."""
        early = dict(self.early)
        for statement in node.body:
            self.visit(statement)
        if node.handlers:
            self.early = early
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.declared.update(node.names)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import  # noqa: N815 - ast's

    def visit_comprehension_scope(self, node: ast.AST) -> None:
        """Only the first iterable is evaluated here for sure; what else is read has names of its own."""
        generators: list[ast.comprehension] = getattr(node, "generators", [])
        self.visit(generators[0].iter)

    def visit_definition(self, node: ast.AST) -> None:
        """A function's body is evaluated later, if ever."""
        for part in (*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())):
            self.visit(part)
        self.bound.update([node.name] if isinstance(node, DEFINITIONS) else [])

    def visit(self, node: ast.AST) -> None:
        """As NodeVisitor, which knows one kind of node at a time."""
        if isinstance(node, _COMPREHENSIONS):
            self.visit_comprehension_scope(node)
        elif isinstance(node, (*DEFINITIONS, ast.Lambda)):
            self.visit_definition(node)
        else:
            super().visit(node)


@functools.lru_cache(maxsize=8)
def _names(notebook: Notebook) -> frozenset[str]:
    """The names that the notebook's ordinary cells and hooks bind at their top."""
    found: set[str] = set()
    for cell in notebook.cells:
        if cell.directive is None or cell.directive.kind != "test":
            found |= _bound(cell)
    return frozenset(found)


def _bound(cell: Cell) -> set[str]:
    body = _Body(())
    for statement in cell.tree.body if cell.tree is not None else ():
        body.visit(statement)
    return body.bound
