"""Test cells in the namespace for the time of a run: functions of the module, methods of classes.

May import pytest. Everything is put back by `Injection.undo`.
"""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.cells.registry import Declaration

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

_MISSING: Any = object()


class Injection:
    """The test cells of a notebook, put into its namespace and classes."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._undo: list[Callable[[], object]] = []

    def errors(self, tests: Iterable[Declaration]) -> Iterator[str]:
        """Put test cells in, one by one; what is wrong with some of them."""
        if self._notebook.namespace is not vars(self._notebook.shell.user_module):
            yield (
                "a cell has replaced the notebook's namespace (get_ipython().user_ns), so that what "
                "cells define since then cannot be found"
            )
        first: dict[str, Declaration] = {}
        for test in tests:
            target = test.directive.target
            if target in first:
                yield _conflict(target, first[target].cell.label, test.cell.label)
                continue
            first[target] = test
            error = self._defined_twice(test) or self._inject(test)
            if error:
                yield f"{test.cell.label}: {error}"

    def hide(self, names: Iterable[str]) -> None:
        """Let the notebook lack these names."""
        namespace = self._notebook.namespace
        for name in names:
            value = namespace.pop(name)
            self._undo.append(functools.partial(namespace.setdefault, name, value))

    def restore(self, tests: Mapping[str, object]) -> None:
        """Let the notebook have these names again, which code of others has swept away."""
        namespace = self._notebook.namespace
        for name, value in tests.items():
            namespace[name] = value
            self._undo.append(functools.partial(namespace.pop, name, None))

    def undo(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def _defined_twice(self, test: Declaration) -> str | None:
        """Inline the newest definition wins, which registration has seen to."""
        if not self._notebook.headless or test.directive.path:
            return None
        name = test.directive.name
        cells = self._notebook.registry.definers(name)
        return _conflict(name, test.cell.label, cells[0].label) if cells else None

    def _inject(self, test: Declaration) -> str | None:
        directive = test.directive
        try:
            owner = self._owner(directive.path)
        except LookupError as exc:
            return str(exc)
        function: Any = test.make()
        if isinstance(owner, type) and issubclass(owner, unittest.TestCase):
            error = _cannot_be_testcase_method(test)
            if error:
                return error
        if self._notebook.headless and directive.path and directive.name in owner.__dict__:
            where = self._notebook.registry.definers(directive.path[0])
            other = where[0].label if where else "the class"
            return _conflict(directive.target, test.cell.label, other)
        function.__test__ = True
        try:
            for mark in directive.marks:
                function = self._marked(mark, function)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # noqa: BLE001 - pytest's Failed is no Exception
            return f"--mark {mark}: {type(exc).__name__}: {exc}"
        self._set(owner, directive.name, function)
        return None

    def _marked(self, mark: str, function: Any) -> Any:
        namespace = {**self._notebook.namespace, "pytest": pytest}
        return eval(f"pytest.mark.{mark}", namespace)(function)  # noqa: S307 - the user's own code

    def _owner(self, path: tuple[str, ...]) -> Any:
        """The module, or the class that `path` names; a class that exists in cells only is made."""
        owner: Any = self._notebook.shell.user_module
        for depth, name in enumerate(path):
            inner = owner.__dict__.get(name, _MISSING)
            if inner is _MISSING:
                inner = getattr(owner, name, _MISSING)
            if inner is _MISSING:
                qualname = ".".join(path[: depth + 1])
                inner = type(name, (), {"__module__": "__main__", "__qualname__": qualname})
                self._set(owner, name, inner)
            if not isinstance(inner, type):
                raise LookupError(  # noqa: TRY004 - told as an error of the cell
                    f"{'::'.join(path[: depth + 1])} is not a class but {inner!r:.80}"
                )
            if inner.__dict__.get("__test__") is not True:
                self._set(inner, "__test__", True)  # noqa: FBT003 - its name may not begin with Test
            owner = inner
        return owner

    def _set(self, owner: Any, name: str, value: object) -> None:
        old = owner.__dict__.get(name, _MISSING)

        def undo() -> None:
            if old is _MISSING:
                if name in owner.__dict__:
                    delattr(owner, name)
            else:
                setattr(owner, name, old)

        setattr(owner, name, value)
        self._undo.append(undo)


def _conflict(target: str, one: str, other: str) -> str:
    return f"{target} is defined twice, in {one} and in {other}; give one of them another name"


def _cannot_be_testcase_method(test: Declaration) -> str | None:
    """What unittest has against a test cell as a method of a TestCase."""
    directive = test.directive
    if directive.fixtures:
        names = ", ".join(directive.fixtures)
        return f"{directive.target} is a method of a TestCase, which takes no fixtures ({names})"
    if not directive.name.startswith("test"):
        return f"{directive.target} is a method of a TestCase, so its name must begin with test"
    return None
