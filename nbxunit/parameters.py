"""Values for the parameters of a notebook, as papermill puts them in: an injected cell.

Shared by kernel and host, so it imports the standard library only. The rules are papermill's for Python
notebooks (`papermill.translators`, `papermill.parameterize`): the same text, at the same place.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"


class ParameterError(ValueError):
    """A value for a name that the notebook does not have; the message names the nearest one."""


def code(values: Mapping[str, Any]) -> str:
    """The source of the injected cell; black formats it where it is installed, as for papermill."""
    lines = ["# Parameters", *(f"{name} = {literal(value)}" for name, value in values.items())]
    text = "\n".join(lines) + "\n"
    with contextlib.suppress(ImportError):
        import black

        with contextlib.suppress(
            AttributeError
        ):  # papermill bears another version's interface, too
            return black.format_str(text, mode=black.Mode(string_normalization=False))
    return text


def literal(value: object) -> str:
    """`value` as Python code; what is not of a JSON or YAML type is its text."""
    match value:
        case None | bool() | int():
            return str(value)
        case float():
            return str(value) if math.isfinite(value) else f"float('{value}')"
        case dict():
            return f"{{{', '.join(f'{_quoted(key)}: {literal(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(literal, value))}]"
    return _quoted(value)


def _quoted(value: object) -> str:
    if isinstance(value, str):
        value = value.encode("unicode_escape").decode().replace('"', r"\"")
    return f'"{value}"'


def place(tags: Sequence[Sequence[str]]) -> tuple[int, bool]:
    """Where the injected cell goes among cells with these tags, and whether one is replaced there."""
    for index, of_cell in enumerate(tags):
        if INJECTED_TAG in of_cell:
            return index, True
    for index, of_cell in enumerate(tags):
        if PARAMETERS_TAG in of_cell:
            return index + 1, False
    return 0, False


def check(values: Mapping[str, Any], source: str | None) -> None:
    """ParameterError for a name that `source`, the cell tagged `parameters`, does not assign.

    Without such a cell, or where Python cannot read it, every name is taken.
    """
    if source is None:
        return
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    known = sorted({node.id for node in ast.walk(tree) if _is_assigned(node)})  # type: ignore[attr-defined]
    for name in values:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        rest = f"did you mean {near[0]}?" if near else f"it has: {', '.join(known) or 'none'}"
        raise ParameterError(f"the notebook has no parameter {name!r}; {rest}")


def _is_assigned(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
