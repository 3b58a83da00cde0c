"""The body of a cell as a function: file name and lines as in the cell, asserts that explain.

May import IPython, and pytest's rewriting through `compat`. A test cell's names are its own; every
name that a hook cell binds is declared global, since binding names of the notebook is its purpose.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
import symtable
import sys
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from IPython.core.error import InputRejected

from nbxunit import directives
from nbxunit.directives import Directive
from nbxunit.kernel.cells.registry import Cell, Declaration
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.compat import nodes as pytest_nodes

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_RUNNING = ("xunit_run", "xunit_test", "xunit_open", "xunit_close", "xunit_reset")
"""The magics that run tests or hooks."""
_DISPLAY = "@nbxunit_display"
_FACTORY = "@nbxunit_factory"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES = (*_DEFINITIONS, ast.Lambda)
_TYPE_PARAMS: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
"""What a function's node has besides, since Python 3.12."""


def declare(shell: InteractiveShell, cell: Cell, directive: Directive, line: int) -> Declaration:
    """The declaration that `cell` makes; its body begins behind the line with index `line`.

    SyntaxError, with the cell's file name and line, if the body cannot be that of a function.
    """
    lines = directives.lines_of(cell.source)
    first = line + 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    body = "\n".join(lines[first:]) + "\n"
    _check_text(cell, lines, first)
    transformed = shell.transform_cell(body)
    _cache_lines(cell, lines[:first], transformed)
    tree = _parse(cell, transformed, first)
    _realign(tree, directives.lines_of(body), directives.lines_of(transformed), first)
    _check_body(cell, directive, tree)
    function = _function(directive, tree, line + 1, max(len(lines), line + 1))
    _check_compiles(cell, function)
    binds = () if directive.kind == "test" else _make_global(function)
    _display_last(shell, function.body, body)
    code = _compile(cell, directive, function)
    return Declaration(cell, directive, lambda: _make(shell, code), binds)


class Refused(SyntaxError):
    """A cell's text cannot be the body of a function; shown as any error of syntax in a cell is."""


Refused.__name__ = SyntaxError.__name__


def _error(cell: Cell, lineno: int, message: str) -> Refused:
    lines = directives.lines_of(cell.source)
    text = lines[lineno - 1] if 0 < lineno <= len(lines) else None
    return Refused(message, (cell.filename, lineno, 1, text))


def _same(cell: Cell, exc: SyntaxError, lineno: int) -> Refused:
    """The error that Python has found, with the cell's own text."""
    refused = _error(cell, exc.lineno or lineno, exc.msg)
    if refused.text is not None and refused.text == (exc.text or "").rstrip("\n"):
        refused.offset, refused.end_offset = exc.offset, exc.end_offset
        refused.end_lineno = exc.end_lineno
    return refused


def _check_text(cell: Cell, lines: list[str], first: int) -> None:
    number = directives.misplaced(cell.source)
    if number is not None:
        raise _error(cell, number, f"{lines[number - 1]!r} must be the first line of its cell")
    for number, line in enumerate(lines[first:], first + 1):
        if line.startswith("%%xunit_"):
            raise _error(
                cell,
                number,
                "a cell declares one hook or one test; put this into a cell of its own",
            )


def _parse(cell: Cell, transformed: str, first: int) -> ast.Module:
    try:
        return ast.parse("\n" * first + transformed, cell.filename)
    except SyntaxError as exc:
        raise _same(cell, exc, first) from None  # one error, shown once


def _cache_lines(cell: Cell, head: list[str], transformed: str) -> None:
    """Give tracebacks the cell's lines in a form that parses: the magic's line as a comment."""
    lines = [f"# {line.removeprefix('# ')}\n" if line.strip() else "\n" for line in head]
    lines += [f"{line}\n" for line in directives.lines_of(transformed)]
    ipython.cache_lines(cell.filename, lines)


def _realign(tree: ast.Module, before: list[str], after: list[str], first: int) -> None:
    r"""Give the nodes their lines in the cell again, where a transformer joined lines (`!ls \`)."""
    if len(before) == len(after):
        return
    lines: dict[int, int] = {}
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(
        a=before, b=after, autojunk=False
    ).get_opcodes():
        for offset in range(j2 - j1):
            at = offset if tag == "equal" else min(offset, max(i2 - i1 - 1, 0))
            lines[first + j1 + offset + 1] = first + i1 + at + 1
    for node in ast.walk(tree):
        for attribute in ("lineno", "end_lineno"):
            number = getattr(node, attribute, None)
            if number is not None:
                setattr(node, attribute, lines.get(number, number))


def _own_nodes(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that belong to the body itself and to no function or class inside it."""
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


def _check_body(cell: Cell, directive: Directive, tree: ast.Module) -> None:
    if directive.kind == "test" and not tree.body:
        raise _error(cell, 1, f"{directive.label} has no body, so it would test nothing")
    for node in _own_nodes(tree.body):
        message = _refusal(directive, node)
        if message:
            raise _error(cell, getattr(node, "lineno", 1), message)


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
    if directive.kind != "test" and _looks_like_test(node):
        name = getattr(node, "name", "")
        return (
            f"{name} is defined in a hook cell, where it would never run; give it a cell of its own"
        )
    return None


def _looks_like_test(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.startswith("test")
    return isinstance(node, ast.ClassDef) and (
        node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases)
    )


def _display_last(shell: InteractiveShell, statements: list[ast.stmt], body: str) -> None:
    """Let the last expression be displayed, as in any cell."""
    interactivity = shell.ast_node_interactivity
    quiet = body.rstrip().endswith(";") or interactivity == "none"
    targets = statements if interactivity == "all" else statements[-1:]
    for node in targets:
        if isinstance(node, ast.Expr) and not quiet:
            call = ast.Call(ast.Name(_DISPLAY, ast.Load()), [node.value], [])
            node.value = ast.copy_location(call, node.value)
            ast.fix_missing_locations(node)


def _function(directive: Directive, tree: ast.Module, lineno: int, end_lineno: int) -> _Function:
    """The body of `tree` as a function whose parameters are the fixtures (and `self`)."""
    is_async = any(
        isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
        or (isinstance(node, ast.comprehension) and node.is_async)
        for node in _own_nodes(tree.body)
    )
    names = (["self"] if directive.kind == "test" and directive.path else []) + [
        *directive.parameters
    ]
    arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
    body = tree.body or [ast.Pass()]
    kind = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    name = directive.name or f"{directive.scope}_{directive.kind}"
    node = kind(name, arguments, body, [], None, **_TYPE_PARAMS)
    node.lineno, node.end_lineno, node.col_offset, node.end_col_offset = lineno, end_lineno, 0, 0
    return ast.fix_missing_locations(node)


def _check_compiles(cell: Cell, function: _Function) -> None:
    try:
        compile(ast.Module([function], []), cell.filename, "exec", dont_inherit=True)
    except SyntaxError as exc:
        raise _same(cell, exc, 1) from None


def _make_global(function: _Function) -> tuple[str, ...]:
    """Declare the names that `function` binds global, and return them."""
    text = ast.unparse(_ComprehensionsApart().visit(copy.deepcopy(function)))
    tables = symtable.symtable(text, "<hook>", "exec").get_children()
    table = next(table for table in tables if table.get_name() == function.name)
    names = tuple(
        symbol.get_name()
        for symbol in table.get_symbols()
        if (symbol.is_local() and not symbol.is_parameter())
        or (symbol.is_declared_global() and (symbol.is_assigned() or symbol.is_imported()))
    )
    if names:
        statement = ast.Global(list(names))
        ast.copy_location(statement, function)
        function.body = [statement, *(_Unannotated().visit(node) for node in function.body)]
    return names


class _ComprehensionsApart(ast.NodeTransformer):
    """Comprehensions as generators, which bind the same: since 3.12 symtable gives their names to the function."""

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return ast.GeneratorExp(self.visit(node.elt), [*map(self.visit, node.generators)])

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return ast.GeneratorExp(self.visit(node.elt), [*map(self.visit, node.generators)])

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([self.visit(node.key), self.visit(node.value)], ast.Load())
        return ast.GeneratorExp(pair, [*map(self.visit, node.generators)])


class _Unannotated(ast.NodeTransformer):
    """`x: int = 1` as `x = 1`: a global name cannot be annotated in a function."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node


def _compile(cell: Cell, directive: Directive, function: _Function) -> types.CodeType:
    """The code of a factory that makes the function.

    What the rewriting imports, and the display function, are variables of the factory: in the
    notebook's namespace they would be seen.
    """
    tree = ast.Module([function], [])
    pytest_nodes.rewrite_asserts(tree)
    result = ast.Return(ast.Name(function.name, ast.Load()))
    arguments = ast.arguments([], [ast.arg(_DISPLAY)], None, [], [], None, [])
    factory = ast.FunctionDef(_FACTORY, arguments, [result], [], None, **_TYPE_PARAMS)
    ast.copy_location(factory, function)
    module = ast.fix_missing_locations(ast.Module([factory], []))
    factory.body = [*tree.body, result]  # they have their places
    owner = "".join(f"{name}." for name in (directive.path if directive.kind == "test" else ()))
    code = _owned(compile(module, cell.filename, "exec", dont_inherit=True), owner)
    return next(const for const in code.co_consts if isinstance(const, types.CodeType))


def _owned(code: types.CodeType, owner: str) -> types.CodeType:
    """`code` whose functions and classes are named after the class `owner`, not after the factory."""
    prefix = f"{_FACTORY}.<locals>."

    def named(name: str) -> str:
        return owner + name.removeprefix(prefix) if name.startswith(prefix) else name

    def renamed(const: Any) -> Any:
        if isinstance(const, types.CodeType):
            return _owned(const, owner)
        return named(const) if isinstance(const, str) else const

    return code.replace(
        co_qualname=named(code.co_qualname), co_consts=tuple(map(renamed, code.co_consts))
    )


def _make(shell: InteractiveShell, code: types.CodeType) -> Callable[..., object]:
    factory = types.FunctionType(code, shell.user_ns)
    function: types.FunctionType = factory(_display)
    function.__module__ = "__main__"
    return function


def _display(value: object) -> None:
    if value is not None:
        from IPython.display import display

        display(value)


class CellTransformer:
    """An AST transformer of the shell: asserts of ordinary cells explain themselves too.

    `defined` is called with the names of the functions and classes at a cell's top level.
    """

    def __init__(self, defined: Callable[[list[str]], None]) -> None:
        self._defined = defined

    def visit(self, tree: ast.Module) -> ast.Module:
        """The tree of a cell, rewritten. InputRejected if that fails (another error ends us)."""
        try:
            self._defined([node.name for node in tree.body if isinstance(node, _DEFINITIONS)])
            if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
                pytest_nodes.rewrite_asserts(tree)
        except Exception as exc:
            raise InputRejected(f"nbxunit cannot rewrite the asserts of this cell: {exc}") from exc
        return tree


def comments_as_magics(lines: list[str]) -> list[str]:
    """An input transformer of the shell: a first line `# xunit: test test_a` is the magic.

    SyntaxError for such a comment further down, which would be no test in silence.
    """
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return lines
    source = "".join(lines)
    number = directives.misplaced(source)
    if number is not None:
        text = directives.lines_of(source)[number - 1].rstrip()
        message = f"{text!r} must be the first line of its cell"
        raise SyntaxError(message, ("<cell>", number, 1, text))
    line = lines[first].rstrip("\r\n")
    end = lines[first][len(line) :]
    magic = directives.as_magic(line)
    if not magic.startswith("%%xunit_"):
        return lines
    # With a debugger attached, ipykernel keeps blank lines, above which IPython knows no cell magic.
    return [magic + end, *lines[first + 1 :]]


def await_runs(lines: list[str]) -> list[str]:
    """An input transformer of the shell: cells await the magics that may run tests.

    Only a cell that awaits is run on the kernel's event loop, where tests that await can run.
    """
    text = "".join(lines)
    if not any(f"'{name}'" in text for name in _RUNNING):
        return lines
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return lines  # the shell says it, with the right line
    encoded = [line.encode() for line in re.findall(r"[^\n]*\n|[^\n]+", text)]
    calls = [node for node in _own_nodes(tree.body) if _is_run(node)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        line = encoded[call.lineno - 1]
        encoded[call.lineno - 1] = line[: call.col_offset] + b"await " + line[call.col_offset :]
    return [line.decode() for line in encoded]


def _is_run(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether `node` is `get_ipython().run_line_magic('xunit_run', ...)` or the cell magic's call."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return False
    name = node.args[0]
    return (
        node.func.attr in ("run_line_magic", "run_cell_magic")
        and ast.unparse(node.func.value) == "get_ipython()"
        and isinstance(name, ast.Constant)
        and name.value in _RUNNING
    )
