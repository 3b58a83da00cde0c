"""Notebooks as pytest's nodes: a file with one schedulable item, which speaks for many tests.

May import pytest. Under `--collect-only` a notebook's file has the real tree instead, made of stand-ins.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from nbxunit.host import compat
from nbxunit.host.notebooks.parameters import Variant
from nbxunit.host.session import settings
from nbxunit.lines import FileLines


class Notebook(pytest.File):
    """A notebook. `children` are what it collects; `named` whether it was asked for by name."""

    named: bool = False
    children: list[pytest.Item | pytest.Collector]
    error: str | None = None
    skipped: str | None = None

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The item of the notebook, or under `--collect-only` its tests."""
        if self.error is not None:
            raise self.CollectError(self.error)
        if self.skipped is not None:
            pytest.skip(self.skipped, allow_module_level=True)
        return self.children


class CompanionFile(Notebook):
    """A test module whose mark names a notebook; it runs in that notebook's kernel."""

    named = True


class NotebookItem(pytest.Item):
    """The tests of a notebook as one item: its node id is that of the test whose report is replayed.

    Reporters and xdist ask an item for its node id, and compare it with the report's.
    """

    speaks_for: str | None = None
    obj = function = staticmethod(lambda: None)
    fixturenames: Sequence[str] = ()
    cls = module = instance = None
    """What conftests ask of a `pytest.Function` that they collect."""
    selected: tuple[str, ...] = ()
    variant: Variant

    @classmethod
    def of(cls, notebook: Notebook, variant: Variant) -> NotebookItem:
        """The item of `notebook` for its run with the values of `variant`."""
        suffix = f"[{variant.name}]" if variant.name else ""
        item: NotebookItem = cls.from_parent(
            notebook, name=f"{notebook.name}{suffix}", nodeid=f"{notebook.nodeid}{suffix}"
        )
        item.variant = variant
        return item

    @property
    def nodeid(self) -> str:
        """The node id of the test that is being replayed, else of the notebook."""
        return self.speaks_for or super().nodeid

    @property
    def notebook_id(self) -> str:
        """The node id of the notebook."""
        return super().nodeid

    def runtest(self) -> None:
        """Never called: the session replays what the kernel reports."""
        raise NotImplementedError

    def reportinfo(self) -> tuple[Any, None, str]:
        """The notebook's path."""
        return self.path, None, self.name


class Class(pytest.Class):
    """A class of a notebook: a name, with what reporters and editors ask of a class."""

    children: list[pytest.Item | pytest.Collector]

    @classmethod
    def of(cls, parent: pytest.Collector, name: str) -> Class:
        """The class called `name` below `parent`."""
        made: Class = cls.from_parent(parent, name=name)
        made.obj = type(name, (), {"__doc__": None})
        made.children = []
        return made

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Its tests and classes."""
        return self.children


class StandIn(pytest.Function):
    """A test of a notebook as the host knows it: a name, with what reporters and conftests ask of a test."""

    stands_for: str
    line: int | None = None
    """Its line in the notebook's file, where that is known."""
    body: Callable[[], None] | None = None
    """What replays the test, while its protocol runs."""

    @classmethod
    def of(cls, parent: pytest.Collector, name: str, nodeid: str) -> StandIn:
        """The test with this node id, whose name has its parameters behind it."""
        made: StandIn = cls.from_parent(
            parent, name=name, callobj=_stand_in, fixtureinfo=compat.no_fixtures(parent)
        )
        made.stands_for = nodeid
        head, bracket, parameters = name.partition("[")
        made.originalname = head
        if bracket and not settings.has_editor(
            parent.config
        ):  # VS Code looks for `.py` in its node id
            identity = parameters.removesuffix("]")
            callspec: Any = types.SimpleNamespace(id=identity, params={}, indices={}, marks=[])
            made.callspec = callspec
        return made

    @property
    def nodeid(self) -> str:
        """The node id that the kernel tells; a variant's has more in front than its parents'."""
        return getattr(self, "stands_for", "") or super().nodeid

    @property
    def module(self) -> types.ModuleType:
        """A module of the notebook's name; the real one is in the kernel."""
        return types.ModuleType(self.path.stem)

    def runtest(self) -> None:
        """Never called: the kernel runs the test."""
        raise NotImplementedError

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """The notebook's path, and the line, counted from 0."""
        return self.path, None if self.line is None else self.line - 1, self.name


def _stand_in() -> None:
    """The function of a test that is in a kernel."""


class Tree:
    """The tests of a notebook by their node ids, below the classes in these."""

    def __init__(self, notebook: pytest.Collector, notebook_id: str) -> None:
        self._notebook = notebook
        self._prefix = f"{notebook_id}::"
        self._classes: dict[tuple[str, ...], Class] = {}
        self._top: list[pytest.Item | pytest.Collector] = []

    def item(self, nodeid: str) -> StandIn:
        """The test with this node id, below its classes."""
        parent, name, _ = self._place(nodeid)
        return StandIn.of(parent, name, nodeid)

    def of(
        self, nodeids: Iterable[str], places: Sequence[tuple[int, int]]
    ) -> list[pytest.Item | pytest.Collector]:
        """The tree of all tests with these ids, in their order; the first ones have these places."""
        lines = FileLines(self._notebook.path)
        for nodeid, place in itertools.zip_longest(nodeids, places):
            parent, name, siblings = self._place(nodeid)
            item = StandIn.of(parent, name, nodeid)
            if place is not None:
                number, line = place
                item.line = lines.line(number, line) if number else line
            siblings.append(item)
        return self._top

    def _place(
        self, nodeid: str
    ) -> tuple[pytest.Collector, str, list[pytest.Item | pytest.Collector]]:
        head, bracket, parameters = nodeid.removeprefix(self._prefix).partition("[")
        *path, name = head.split("::")
        parent, siblings = self._notebook, self._top
        for depth, part in enumerate(path, 1):
            key = tuple(path[:depth])
            if key not in self._classes:
                self._classes[key] = Class.of(parent, part)
                siblings.append(self._classes[key])
            parent = self._classes[key]
            siblings = self._classes[key].children
        return parent, f"{name}{bracket}{parameters}", siblings
