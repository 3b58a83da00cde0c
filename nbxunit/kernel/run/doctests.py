"""The doctests of a notebook: of what its cells define, and of its Markdown cells where asked for.

May import pytest. `--doctest-modules` collects the first, as of a module; `--nbxunit-doctest-markdown`
the others, which stand in the notebook's file.
"""

from __future__ import annotations

import ast
import doctest
import functools
import inspect
import json
import linecache
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from nbxunit.kernel.compat import nodes as pytest_nodes

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)


def collect(parent: pytest.Module, notebook: Notebook) -> Iterator[pytest.Item]:
    """The doctests that the options of a run ask for."""
    config = parent.config
    tests: list[doctest.DocTest] = []
    if config.getoption("doctestmodules", default=False):
        tests += _of_definitions(notebook)
    if config.getoption("nbxunit_doctest_markdown", default=False):
        tests += _of_markdown(notebook)
    for test in tests:
        if test.examples:
            name = f"{notebook.path.stem}.{test.name}"
            item = pytest_nodes.doctest_item(parent, name, test)
            pytest_nodes.place_node(item, str(test.filename), (test.lineno or 0) + 1)
            yield item


def _of_definitions(notebook: Notebook) -> Iterator[doctest.DocTest]:
    # Not by doctest's own finder: it looks for the file of a class, which __main__ does not have.
    parser, registry = doctest.DocTestParser(), notebook.registry
    for name in registry.defined_names():
        value = notebook.namespace.get(name)
        if registry.is_left(name, value):
            continue
        for path, text in _docstrings(name, value):
            filename, line = _place(notebook, path)
            globs = dict(notebook.namespace)
            yield parser.get_doctest(text, globs, path, filename or str(notebook.path), line)


def _docstrings(name: str, value: object) -> Iterator[tuple[str, str]]:
    """The docstrings of a function or class, and of what a class has, by their dotted names."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    elif isinstance(value, (property, functools.cached_property)):
        value = getattr(value, "fget", None) or getattr(value, "func", None)
    if callable(value):
        value = inspect.unwrap(value)
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return
    if isinstance(value.__doc__, str):
        yield name, value.__doc__
    for inner, member in vars(value).items() if inspect.isclass(value) else ():
        yield from _docstrings(f"{name}.{inner}", member)


def _place(notebook: Notebook, name: str) -> tuple[str | None, int]:
    """The file of the cell that defines a function, class or method, and its docstring's line, from 0."""
    path = name.split(".")
    for cell in reversed(notebook.registry.definers(path[0])):
        for filename in notebook.files_of(cell):
            line = _line(filename, path)
            if line is not None:
                return filename, line
    return None, 0


def _line(filename: str, path: list[str]) -> int | None:
    try:
        node: ast.AST = ast.parse("".join(linecache.getlines(filename)))
    except SyntaxError:
        return None
    for name in path:
        inner = [each for each in ast.walk(node) if getattr(each, "name", None) == name]
        if not inner:
            return None
        node = inner[-1]
    body = getattr(node, "body", None)
    return body[0].lineno - 1 if body else None


def _of_markdown(notebook: Notebook) -> Iterator[doctest.DocTest]:
    try:
        cells = json.loads(notebook.path.read_text(encoding="utf-8-sig"))["cells"]
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise pytest.Collector.CollectError(
            f"the Markdown cells of {notebook.path} cannot be read: {exc}"
        ) from exc
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    for number, text in enumerate(texts, 1):
        where = f"{notebook.path.name} Markdown cell {number}"
        source = _FENCE.sub("", text)
        yield doctest.DocTestParser().get_doctest(
            source, dict(notebook.namespace), f"markdown-{number}", where, 0
        )
