"""Notebooks as pytest's nodes: a file with one schedulable item, which speaks for many tests.

May import pytest. Under `--collect-only` a notebook's file has the real tree instead, made of stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from nbxunit.host.notebooks.parameters import Variant


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


class Class(pytest.Collector):
    """A class of a notebook, in the tree that `--collect-only` shows."""

    children: list[pytest.Item | pytest.Collector]

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Its tests and classes."""
        return self.children


class Function(pytest.Item):
    """A test of a notebook, in the tree that `--collect-only` shows, or one that is deselected."""

    def runtest(self) -> None:
        """Never called: this is a name in a list."""
        raise NotImplementedError

    def reportinfo(self) -> tuple[Any, None, str]:
        """The notebook's path."""
        return self.path, None, self.name


def tree(
    notebook: Notebook, notebook_id: str, nodeids: Iterable[str]
) -> list[pytest.Item | pytest.Collector]:
    """The nodes of tests with these ids, which begin with `notebook_id`, below `notebook`, in their order."""
    top: list[pytest.Item | pytest.Collector] = []
    classes: dict[tuple[str, ...], Class] = {}
    for nodeid in nodeids:
        inner = nodeid.removeprefix(f"{notebook_id}::")
        head, bracket, parameters = inner.partition("[")
        *path, name = head.split("::")
        parent: Any = notebook
        siblings = top
        for depth, part in enumerate(path, 1):
            key = tuple(path[:depth])
            if key not in classes:
                classes[key] = Class.from_parent(parent, name=part)
                classes[key].children = []
                siblings.append(classes[key])
            parent = classes[key]
            siblings = parent.children
        siblings.append(
            Function.from_parent(parent, name=f"{name}{bracket}{parameters}", nodeid=nodeid)
        )
    return top
