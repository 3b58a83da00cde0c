"""`await` where nothing can wait, and coroutines that nothing awaits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbxunit.check.findings import Finding
from nbxunit.check.reading import Cell, Notebook

_WAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def check(notebook: Notebook) -> Iterator[Finding]:
    """What Python refuses of `await`, and calls of the notebook's coroutines that do nothing."""
    if not any("async" in cell.source or "await" in cell.source for cell in notebook.cells):
        return
    coroutines = _coroutines(notebook)
    for cell in notebook.cells:
        if cell.tree is None:
            continue
        if "await" in cell.source or "async" in cell.source:
            for line, function in _outside(cell.tree, None):
                message = f"{function} awaits, and is not async; write async def"
                yield notebook.finding("await", cell, line, message)
        if any(name in cell.source for name in coroutines):
            yield from _never_awaited(notebook, cell, cell.tree, coroutines)


def _coroutines(notebook: Notebook) -> frozenset[str]:
    """The functions that cells define at their top as `async def`, and never otherwise."""
    found: dict[str, bool] = {}
    for cell in notebook.cells:
        for node in cell.tree.body if cell.tree is not None and "def " in cell.source else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                is_async = isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list
                found[node.name] = found.get(node.name, True) and is_async and not _yields(node)
    return frozenset(name for name, is_async in found.items() if is_async)


def _yields(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Yield) for inner in ast.walk(node))


def _outside(node: ast.AST, function: str | None) -> Iterator[tuple[int, str]]:
    """The lines that wait inside a function that is not async, and its name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _WAITING) and function is not None:
            yield child.lineno, function
        inside = function
        if isinstance(child, ast.FunctionDef):
            inside = child.name
        elif isinstance(child, ast.Lambda):
            inside = "the lambda"
        elif isinstance(child, ast.AsyncFunctionDef):
            inside = None
        yield from _outside(child, inside)


def _never_awaited(
    notebook: Notebook, cell: Cell, tree: ast.Module, coroutines: frozenset[str]
) -> Iterator[Finding]:
    """Calls whose coroutine is dropped, or taken for true."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            call: ast.AST = node.value
        elif isinstance(node, ast.Assert):
            call = node.test
        else:
            continue
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in coroutines
        ):
            # A cell shows its last expression, and the coroutine with it, which may be wanted.
            name = call.func.id
            message = f"{name} is async, and nothing awaits this call; write await {name}(...)"
            yield notebook.finding("await", cell, call.lineno, message)
