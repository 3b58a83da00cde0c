"""Companion modules: test modules whose mark names a notebook, found without importing them.

Imports the standard library. What the mark says to pytest is the kernel's; here is only which kernel that is.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from nbxunit.host.notebooks import files, static_look
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.notebooks.static_look import Origin

MARK = "notebook"
_EXAMPLE = 'e.g. pytest.mark.notebook("../sales.ipynb")'
_HOOKS = {
    f"{when}_{what}": f"the {what}"
    for when in ("setup", "teardown")
    for what in ("module", "class", "method", "function")
} | {"setUpModule": "nothing", "tearDownModule": "nothing"}
"""Python hooks, and what pytest gives them."""


@dataclasses.dataclass(frozen=True)
class Companion:
    """A companion module: the notebooks that its marks name, and what their metadata say."""

    path: Path
    notebooks: tuple[Path, ...]
    origin: Origin

    @property
    def folder(self) -> Path:
        """The folder that its kernel runs in: the first notebook's."""
        return self.notebooks[0].parent


def is_companion(path: Path) -> bool:
    """Whether a file is a test module with the mark; False where it cannot be read or parsed."""
    return path.suffix == ".py" and next(_marks(path), None) is not None


def read(path: Path) -> Companion:
    """The companion module in `path`. NotebookError, with the line, for marks that make no sense."""
    found: dict[Path, Origin] = {}
    for mark, call in _marks(path):
        where = f"{path.name}, line {mark.lineno}"
        notebook = _notebook(path, call, where)
        try:
            found[notebook] = static_look.peek(notebook)
        except NotebookError as exc:
            raise NotebookError(f"{where}: {exc}") from exc
        if not found[notebook].is_python:
            language = found[notebook].language
            raise NotebookError(f"{where}: {notebook.name} is in {language}; nbxunit runs Python notebooks")  # fmt: skip  # noqa: E501
    _check_hooks(path)
    kernels = {origin.kernel: notebook.name for notebook, origin in found.items()}
    if len(kernels) > 1:
        named = ", ".join(f"{kernel} ({name})" for kernel, name in kernels.items())
        raise NotebookError(
            f"{path.name}: its notebooks ask for several kernels: {named}; the tests of one file run in "
            "one kernel, so give each its own file, or choose one with --kernel NAME"
        )
    return Companion(path, tuple(found), next(iter(found.values())))


def notebooks(path: Path) -> list[Path]:
    """The notebooks that the marks in a module name, as far as they are there."""
    return list(_existing(path))


def _existing(path: Path) -> Iterator[Path]:
    for mark, call in _marks(path):
        with contextlib.suppress(NotebookError):
            yield _notebook(path, call, f"line {mark.lineno}")


def _check_hooks(path: Path) -> None:
    """NotebookError for a Python hook whose parameter has the fixture's name: pytest gives it the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef) or node.name not in _HOOKS:
            continue
        if MARK in [parameter.arg for parameter in node.args.args]:
            raise NotebookError(
                f"{path.name}, line {node.lineno}: {node.name} gets {_HOOKS[node.name]} from pytest, and not "
                "the notebook, whatever its parameter is called; ask for the notebook in a fixture or a test"
            )


def _marks(path: Path) -> Iterator[tuple[ast.Attribute, ast.Call | None]]:
    """Each `pytest.mark.notebook` in a file, in order, with its call."""
    try:
        text = path.read_text(encoding="utf-8")
        if "notebook" not in text or "mark" not in text:
            return
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return
    nodes = list(ast.walk(tree))
    calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    marks = [node for node in nodes if isinstance(node, ast.Attribute) and _is_mark(node)]
    for mark in sorted(marks, key=lambda node: (node.lineno, node.col_offset)):
        yield mark, calls.get(id(mark))


def _is_mark(node: ast.Attribute) -> bool:
    return node.attr == MARK and ast.unparse(node.value) in ("pytest.mark", "mark")


def _notebook(path: Path, call: ast.Call | None, where: str) -> Path:
    words = [] if call is None else [*call.args, *(k.value for k in call.keywords if k.arg == "path")]
    if not words:
        raise NotebookError(f"{where}: the mark needs the path of a notebook, {_EXAMPLE}")
    if not isinstance(words[0], ast.Constant) or not isinstance(words[0].value, str):
        raise NotebookError(
            f"{where}: the path must be a literal text, {_EXAMPLE}, and not {ast.unparse(words[0])}: "
            "which kernel runs the file is looked up without importing it"
        )
    notebook = Path(path.parent, words[0].value).resolve()
    if notebook.is_file():
        return notebook
    beside = sorted(each.name for each in notebook.parent.glob("*.ipynb"))[:10]
    there = f"; there is: {', '.join(beside)}" if beside else "; there is no notebook in that folder"
    raise NotebookError(f"{where}: there is no notebook {words[0].value!r}{there}")
