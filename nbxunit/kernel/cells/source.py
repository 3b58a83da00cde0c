"""The body of a cell as a function: file name and lines as in the cell, asserts that explain.

May import IPython, and pytest's rewriting through `compat`. A test cell's names are its own; every
name that a hook cell binds is declared global, since binding names of the notebook is its purpose.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import difflib
import symtable
import sys
import types
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from IPython.core import compilerop

from nbxunit import bodies, directives
from nbxunit.directives import Directive
from nbxunit.kernel.cells import refusals, rewriting
from nbxunit.kernel.cells.registry import Cell, Declaration
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.compat import nodes as pytest_nodes

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_DISPLAY = "@nbxunit_display"
_FACTORY = "@nbxunit_factory"
_TYPE_PARAMS: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
"""What a function's node has besides, since Python 3.12."""


def declare(
    shell: InteractiveShell, cell: Cell, directive: Directive, line: int, *, rewrites: bool = True
) -> Declaration:
    """The declaration that `cell` makes; its body begins behind the line with index `line`.

    Asserts explain themselves unless not `rewrites`.

    SyntaxError, with the cell's file name and line, if the body cannot be that of a function.
    """
    lines = directives.lines_of(cell.source)
    first = line + 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    body = "\n".join(lines[first:]) + "\n"
    refusals.check_text(cell, lines, first)
    transformed = shell.transform_cell(body)
    _cache_lines(cell, lines[:first], transformed)
    tree = _parse(cell, transformed, first)
    _realign(tree, directives.lines_of(body), directives.lines_of(transformed), first)
    tree = _as_the_shell(shell, tree)
    refusals.check_body(cell, directive, tree)
    doubts = rewriting.doubts(cell, tree)
    function = _function(directive, tree, line + 1, max(len(lines), line + 1))
    flags = shell.compile.flags & compilerop.PyCF_MASK
    _check_compiles(cell, function, flags)
    binds = () if directive.kind == "test" else _make_global(function)
    if directive.kind == "test":  # a hook runs behind other cells, which it would answer for
        _display_last(shell, function.body, body)
    module = ast.Module([function], [])
    if rewrites:
        pytest_nodes.rewrite_asserts(module, cell.filename)
    code = _compile(cell, directive, function, module, flags)
    return Declaration(cell, directive, lambda: _make(shell, code), binds, doubts)


def _as_the_shell(shell: InteractiveShell, tree: ast.Module) -> ast.Module:
    """What the shell's AST transformers make of a body; ours is for ordinary cells."""
    ours = [each for each in shell.ast_transformers if isinstance(each, rewriting.CellTransformer)]
    with contextlib.ExitStack() as stack:
        for each in ours:
            stack.enter_context(each.resting())
        transformed: ast.Module = shell.transform_ast(tree)
    return transformed


def _parse(cell: Cell, transformed: str, first: int) -> ast.Module:
    try:
        return ast.parse("\n" * first + transformed, cell.filename)
    except SyntaxError as exc:
        raise refusals.same(cell, exc, first) from None  # one error, shown once


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
        for node in bodies.own_nodes(tree.body)
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


def _check_compiles(cell: Cell, function: _Function, flags: int) -> None:
    module = ast.Module([function], [])
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "assertion is always true", SyntaxWarning)  # a doubt
            compile(module, cell.filename, "exec", flags, dont_inherit=True)
    except SyntaxError as exc:
        raise refusals.same(cell, exc, 1) from None


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


def _compile(
    cell: Cell, directive: Directive, function: _Function, tree: ast.Module, flags: int
) -> types.CodeType:
    """The code of a factory that makes the function.

    What the rewriting imports, and the display function, are variables of the factory: in the
    notebook's namespace they would be seen.
    """
    result = ast.Return(ast.Name(function.name, ast.Load()))
    arguments = ast.arguments([], [ast.arg(_DISPLAY)], None, [], [], None, [])
    factory = ast.FunctionDef(_FACTORY, arguments, [result], [], None, **_TYPE_PARAMS)
    ast.copy_location(factory, function)
    module = ast.fix_missing_locations(ast.Module([factory], []))
    factory.body = [*tree.body, result]  # they have their places
    owner = "".join(f"{name}." for name in (directive.path if directive.kind == "test" else ()))
    code = _owned(compile(module, cell.filename, "exec", flags, dont_inherit=True), owner)
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
