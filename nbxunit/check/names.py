"""Tests that take each other's names, and hooks for classes that have no tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from nbxunit import directives
from nbxunit.bodies import DEFINITIONS, looks_like_test
from nbxunit.check.findings import Finding
from nbxunit.check.ini import Ini
from nbxunit.check.reading import Cell, Notebook

_Node: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Definition(NamedTuple):
    """A function or class that an ordinary cell defines at its top."""

    cell: Cell
    node: _Node


def check(notebook: Notebook, ini: Ini) -> Iterator[Finding]:
    """What a run refuses of the names of tests and classes, or warns of."""
    defined = [
        _Definition(cell, node)
        for cell in notebook.ordinary
        if ("def test" in cell.source or "class " in cell.source) and cell.tree is not None
        for node in cell.tree.body
        if isinstance(node, DEFINITIONS)
    ]
    yield from _twice(notebook, defined)
    if not ini.names_tests:
        yield from _without_tests(notebook, defined)


def _twice(notebook: Notebook, defined: Sequence[_Definition]) -> Iterator[Finding]:
    """Two test cells, or a test cell and a definition, of one name; of two definitions the last one runs."""
    first: dict[str, Cell] = {}
    for cell, node in defined:
        if not looks_like_test(node):
            continue
        if node.name in first:
            message = (
                f"{node.name} is defined in cell {first[node.name].number}, too, and only the last one "
                "runs; give one of them another name"
            )
            yield notebook.finding("duplicate-test", cell, node.lineno, message, "warning")
        first[node.name] = cell
        if isinstance(node, ast.ClassDef):
            first |= {f"{node.name}::{inner.name}": cell for inner in _functions(node)}
    for cell, directive in notebook.declaring:
        if directive.kind != "test":
            continue
        if directive.target in first:
            message = (
                f"the test {directive.target} is in cell {first[directive.target].number}, too; "
                "give one of them another name"
            )
            yield notebook.finding("duplicate-test", cell, cell.first_line, message)
        first.setdefault(directive.target, cell)


def _without_tests(notebook: Notebook, defined: Sequence[_Definition]) -> Iterator[Finding]:
    """A hook for a class that no cell gives a test: it would never run."""
    hooks = [each for each in notebook.declaring if each[1].path and each[1].kind != "test"]
    if not hooks or _names_are_unknown(notebook):
        return
    tests = {directive.path for _, directive in notebook.declaring if directive.kind == "test"}
    classes = {node.name: node for _, node in defined if isinstance(node, ast.ClassDef)}
    bound = {name for cell in notebook.ordinary for name in _bound_otherwise(cell)}
    known = {path[0] for path in tests if path} | classes.keys() | bound
    for cell, directive in hooks:
        path = directive.path
        if path[0] in bound or any(other[: len(path)] == path for other in tests):
            continue
        if path[0] in classes and _may_have_tests(path, classes):
            continue
        meant = directives.did_you_mean(path[0], known - {path[0]})
        message = f"the class {'::'.join(path)} has no tests, so this hook would never run{meant}"
        yield notebook.finding("no-tests", cell, cell.first_line, message)


def _names_are_unknown(notebook: Notebook) -> bool:
    """Whether names come from where no look at the cells finds them."""
    return any(
        "import *" in cell.source
        or "%run" in cell.source
        or (cell.tree is None and "class " in cell.source)
        for cell in notebook.ordinary
    )


def _bound_otherwise(cell: Cell) -> Iterator[str]:
    """The names that a cell binds at its top by an import or an assignment."""
    for node in cell.tree.body if cell.tree is not None else ():
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif not isinstance(node, DEFINITIONS):
            yield from (
                each.id
                for each in ast.walk(node)
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            )


def _may_have_tests(path: tuple[str, ...], classes: dict[str, ast.ClassDef]) -> bool:
    """Whether a class of the notebook, or one that is derived from it, has tests, or may inherit some."""
    node = classes[path[0]]
    for name in path[1:]:
        inner = [each for each in node.body if isinstance(each, ast.ClassDef) and each.name == name]
        if not inner:
            return bool(node.bases)
        node = inner[-1]
    derived = [each for each in classes.values() if path[0] in map(ast.unparse, each.bases)]
    return any(_has_tests(each, classes) for each in (node, *derived))


def _has_tests(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    bases = [ast.unparse(base) for base in node.bases]
    return (
        any(_functions(node))
        or bool(node.decorator_list)
        or any(
            _has_tests(classes[base], classes) if base in classes else "TestCase" not in base and base != "object"
            for base in bases
        )
    )  # fmt: skip


def _functions(node: ast.ClassDef) -> Iterator[_Node]:
    """The tests in a class, and in those inside it."""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef):
            yield from _functions(inner)
        elif isinstance(inner, DEFINITIONS) and looks_like_test(inner):
            yield inner
