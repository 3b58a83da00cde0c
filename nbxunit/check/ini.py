"""What pytest's ini file of a folder says that findings depend on: marks, and what is a test."""

from __future__ import annotations

import configparser
import dataclasses
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_SECTIONS = {
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pyproject.toml": "",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
"""The files that pytest looks for, in its order, and their sections."""
_REGISTERED = re.compile(r"addinivalue_line\(\s*[\"']markers[\"'],\s*[rf]?[\"'](\w+)")


@dataclasses.dataclass(frozen=True)
class Ini:
    """`marks` are those that the ini file and the conftest files above a folder register.

    `names_tests` is true where functions or classes are tests by other names than pytest's own.
    """

    marks: frozenset[str] = frozenset()
    names_tests: bool = False


@functools.cache
def of(folder: Path) -> Ini:
    """What holds for the notebooks in `folder`."""
    values = _values(folder)
    marks: Any = values.get("markers", "")
    lines = marks.splitlines() if isinstance(marks, str) else marks
    registered = {re.split(r"[\s:(]", str(line).strip())[0] for line in lines} - {""}
    names = {"python_functions", "python_classes"} & values.keys()
    return Ini(frozenset(registered | set(_of_conftests(folder))), bool(names))


def _values(folder: Path) -> Mapping[str, object]:
    """The ini file's keys: of the first file that has pytest's section, from the folder upwards."""
    for parent in (folder, *folder.parents):
        for name, section in _SECTIONS.items():
            path = parent / name
            if path.is_file() and (values := _section(path, section)) is not None:
                return values
    return {}


def _section(path: Path, section: str) -> Mapping[str, object] | None:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            tool = tomllib.loads(text).get("tool", {}).get("pytest", {})
            return tool.get("ini_options", tool) or None
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
    except (OSError, ValueError, configparser.Error):
        return None  # which pytest will say
    if parser.has_section(section):
        return dict(parser.items(section))
    return {} if path.name in ("pytest.ini", ".pytest.ini") else None


def _of_conftests(folder: Path) -> Iterator[str]:
    for parent in (folder, *folder.parents):
        path = parent / "conftest.py"
        if path.is_file():
            try:
                yield from _REGISTERED.findall(path.read_text("utf-8"))
            except (OSError, ValueError):
                continue
