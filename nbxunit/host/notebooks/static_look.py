"""What a static look tells of a notebook's file, without nbformat: its language and kernel, whether it may hold tests.

Imports the standard library.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nbxunit.host.notebooks.files import NotebookError, is_text, read, text_of

if TYPE_CHECKING:
    import pytest


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a notebook's metadata say of it: its language, in lower case, and its kernel's name."""

    language: str = "python"
    kernel: str = "python3"

    @classmethod
    def of(cls, notebook: Mapping[str, Any]) -> Self:
        """Of the notebook's JSON, also where parts of it are missing or make no sense."""
        metadata = _mapping(notebook.get("metadata"))
        spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
        language = spec.get("language") or info.get("name") or cls.language
        return cls(str(language).lower(), str(spec.get("name") or cls.kernel))

    @property
    def is_python(self) -> bool:
        """Whether it is in the language that nbxunit runs."""
        return self.language in ("python", "ipython")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def peek(path: Path) -> Origin:
    """The origin of the notebook in `path`, without nbformat. NotebookError if it is not a notebook."""
    if is_text(path):
        return Origin.of(read(path))
    try:
        notebook = json.loads(text_of(path))
    except (OSError, ValueError, RecursionError):
        return Origin.of(read(path))  # which says what is wrong
    return Origin.of(_mapping(notebook))


def resources(path: Path) -> dict[str, float]:
    """What a notebook's metadata say (`nbxunit.resources`) that a worker must have for it."""
    try:
        notebook = read(path) if is_text(path) else json.loads(text_of(path))
    except (OSError, ValueError, RecursionError, NotebookError):
        return {}  # the run says what is wrong
    ours = _mapping(_mapping(_mapping(notebook).get("metadata")).get("nbxunit"))
    wanted = _mapping(ours.get("resources"))
    return {
        str(name): float(number)
        for name, number in wanted.items()
        if isinstance(number, int | float)
    }


def may_have_tests(config: pytest.Config, path: Path) -> bool:
    """Whether a static look finds anything in a notebook that could be a test or hook.

    True also where the file cannot be understood: then reading it must say so.
    """
    try:
        cells = read(path).cells if is_text(path) else json.loads(text_of(path))["cells"]
        if _has_doctests(config, cells):
            return True
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError, NotebookError):
        return True
    pattern = _test_pattern(config)
    return any(pattern.search(source) for source in sources)


def _has_doctests(config: pytest.Config, cells: Iterable[Any]) -> bool:
    asked = {"code": "doctestmodules", "markdown": "nbxunit_doctest_markdown"}
    return any(
        config.getoption(asked.get(cell["cell_type"], ""), default=False)
        and ">>>" in "".join(cell["source"])
        for cell in cells
    )


def _test_pattern(config: pytest.Config) -> re.Pattern[str]:
    functions = "|".join(["test", *map(_as_regex, config.getini("python_functions"))])
    classes = "|".join(["Test", *map(_as_regex, config.getini("python_classes"))])
    imported = rf"\bimport\s+(?:\*|(?:\([^)]*|[^\n]*)\b(?:{functions}|{classes}))"
    return re.compile(
        rf"xunit|\bdef\s+(?:{functions})|\bclass\s+(?:{classes})|TestCase|load_tests|\bfrom\s+[\w.]+\s+{imported}"
    )


def _as_regex(prefix_or_glob: str) -> str:
    return re.escape(prefix_or_glob).replace(r"\*", r"\w*").replace(r"\?", r"\w")
