"""What pytest's ini file says of code: which names are tests, and whether asserts are rewritten.

Imports the standard library.
"""

from __future__ import annotations

import ast
import dataclasses
import fnmatch
import types
import unittest
from collections.abc import Iterable, Mapping
from typing import Self


@dataclasses.dataclass(frozen=True)
class Patterns:
    """The names of test functions and test classes, as prefixes or globs."""

    functions: tuple[str, ...] = ("test",)
    classes: tuple[str, ...] = ("Test",)
    rewrites: bool = True

    @classmethod
    def of(cls, ini: Mapping[str, list[str]]) -> Self:
        """Those of an ini file, given as words by their keys."""
        return cls(
            tuple(ini.get("python_functions", cls.functions)),
            tuple(ini.get("python_classes", cls.classes)),
            "--assert=plain" not in ini.get("addopts", ()),
        )

    def are_tests(
        self, nodes: Iterable[ast.stmt], namespace: Mapping[str, object]
    ) -> list[ast.stmt]:
        """Those of `nodes` that define tests, as far as is known before they are executed."""
        cases: set[str] = set()
        found: list[ast.stmt] = []
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if _matches(node.name, self.functions):
                    found.append(node)
            elif isinstance(node, ast.ClassDef):
                is_case = any(_is_case(base, cases, namespace) for base in node.bases)
                if is_case:
                    cases.add(node.name)
                if is_case or _matches(node.name, self.classes):
                    found.append(node)
        return found

    def tests_among(self, names: Iterable[str], namespace: Mapping[str, object]) -> list[str]:
        """Those of `names` that are tests, as they stand in `namespace`."""
        return [name for name in names if self._is_test(name, namespace.get(name))]

    def _is_test(self, name: str, value: object) -> bool:
        if isinstance(value, type):
            return issubclass(value, unittest.TestCase) or _matches(name, self.classes)
        return _matches(name, self.functions)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return name.startswith(patterns) or any(
        any(char in pattern for char in "*?[") and fnmatch.fnmatch(name, pattern)
        for pattern in patterns
    )


def _is_case(base: ast.expr, cases: set[str], namespace: Mapping[str, object]) -> bool:
    """Whether a base of a class is a TestCase, or is called one: the cell may import it."""
    path = ast.unparse(base).split(".")
    if path[-1] in cases or path[-1].endswith("TestCase"):
        return True
    found: object = namespace.get(path[0])
    for name in path[1:]:
        found = vars(found).get(name) if isinstance(found, type | types.ModuleType) else None
    return isinstance(found, type) and issubclass(found, unittest.TestCase)
