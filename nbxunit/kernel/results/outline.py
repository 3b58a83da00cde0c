"""The tree of a live notebook's scopes: its hooks and tests, and what became of them last.

Imports the standard library. What `%xunit_list` shows; renderers only read it.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import time
import unittest
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from nbxunit import directives
from nbxunit.kernel.cells.registry import Cell, Declaration

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.results.model import Results

DIFFERS = "the saved cell differs from what ran"
_WORST = ("failed", "error", "xpassed", "passed", "xfailed", "skipped")


@dataclasses.dataclass(frozen=True)
class LastRun:
    """What became of a test when it ran last; `source` is its cell's then, `when` the time."""

    outcome: str
    seconds: float
    source: str
    when: float = dataclasses.field(default_factory=time.time)


@dataclasses.dataclass
class Entry:
    """A test: `cell` where it is known, `outcome` empty where it has not run."""

    name: str
    cell: Cell | None
    outcome: str = ""
    seconds: float = 0.0
    remarks: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Node:
    """A scope: the notebook's own, or a class."""

    title: str
    hooks: list[Declaration] = dataclasses.field(default_factory=list)
    tests: list[Entry] = dataclasses.field(default_factory=list)
    children: list[Node] = dataclasses.field(default_factory=list)
    is_open: bool = False

    @property
    def prefix(self) -> str:
        """What stands before the names of its tests in their ids."""
        path = self.title.partition("class ")[2]
        return f"{path}::" if path else ""

    def walk(self) -> Iterator[tuple[str, Entry]]:
        """The tests of this scope and those inside it, behind what stands before their names."""
        yield from ((self.prefix, test) for test in self.tests)
        for child in self.children:
            yield from child.walk()


def remember(runs: dict[str, LastRun], results: Results) -> None:
    """Note in `runs` what became of the tests; one that has parameters counts as one.

    A test that an interrupt ended has come to nothing: what is known of it stays.
    """
    latest: dict[str, LastRun] = {}
    for test in results.tests.values():
        if not test.counted:
            continue
        target = test.name.partition("[")[0]
        seen = latest.get(target, LastRun(test.outcome, 0.0, ""))
        outcome = min(seen.outcome, test.outcome, key=_WORST.index)
        source = test.cell.source if test.cell else ""
        latest[target] = LastRun(outcome, seen.seconds + test.seconds, source)
    runs.update(latest)


def of(
    notebook: Notebook, last_runs: Mapping[str, LastRun], open_scopes: Iterable[str] = ()
) -> Node:
    """The tree of `notebook` and its `last_runs`; `open_scopes` are those that are kept open, `module` or a class."""
    registry = notebook.registry
    top = Node("module", is_open="module" in open_scopes)
    nodes = {"": top}

    def node(path: tuple[str, ...]) -> Node:
        name = "::".join(path)
        if name not in nodes:
            nodes[name] = Node(f"class {name}", is_open=name in open_scopes)
            node(path[:-1]).children.append(nodes[name])
        return nodes[name]

    for hook in registry.hooks():
        node(hook.directive.path).hooks.append(hook)
    saved = _saved(notebook)
    places = registry.places()
    for target, cell in sorted(
        _targets(notebook, last_runs),
        key=lambda pair: places.get(pair[0].partition("::")[0], math.inf),
    ):
        *path, name = target.split("::")
        node(tuple(path)).tests.append(_entry(name, cell, last_runs.get(target), saved))
    return top


def _targets(notebook: Notebook, last_runs: Iterable[str]) -> Iterator[tuple[str, Cell | None]]:
    """The tests that cells declare or define, as far as can be told without collecting them."""
    registry = notebook.registry
    declared = {test.directive.target: test.cell for test in registry.tests()}
    yield from declared.items()
    # What was assigned, or imported, is known when it has run.
    ran = (target.partition("::")[0] for target in last_runs)
    for name in dict.fromkeys([*registry.defined_names(), *ran]):
        value = notebook.namespace.get(name)
        if registry.is_left(name, value):
            continue
        definers = registry.definers(name)
        cell = definers[-1] if definers else None
        if inspect.isfunction(value) and name.startswith("test") and name not in declared:
            yield name, cell
        elif isinstance(value, type) and (
            name.startswith("Test") or issubclass(value, unittest.TestCase)
        ):
            for target in _methods(name, value):
                if target not in declared:
                    yield target, cell


def _methods(path: str, cls: type) -> Iterator[str]:
    """The tests of a class: inherited ones too, in pytest's order or unittest's, nested ones last."""
    bases = [base for base in reversed(cls.__mro__) if base.__module__ != "unittest.case"]
    members = {name: getattr(cls, name) for base in bases for name in vars(base)}
    names = [name for name, value in members.items() if name.startswith("test") and callable(value)]
    for name in sorted(names) if issubclass(cls, unittest.TestCase) else names:
        yield f"{path}::{name}"
    for name, value in members.items():
        if isinstance(value, type) and name.startswith("Test"):
            yield from _methods(f"{path}::{name}", value)


def _entry(name: str, cell: Cell | None, last: LastRun | None, saved: _Saved) -> Entry:
    entry = Entry(name, cell)
    if last is None:
        return entry
    entry.outcome, entry.seconds = last.outcome, last.seconds
    if cell is None or not last.source:
        return entry
    # A file that is older than the run may not have the cell yet.
    if saved.when > last.when and saved.sources and cell.id and cell.id not in saved.sources:
        entry.remarks.append("its cell is not in the saved notebook")
    elif last.source != cell.source:
        entry.remarks.append("edited since its last run")
    elif saved.differs(cell):
        entry.remarks.append(DIFFERS)
    return entry


def stale(notebook: Notebook, results: Results | None = None) -> list[str]:
    """Which hooks, and tests among `results`, have another text in the saved notebook: lines to say."""
    registry, saved = notebook.registry, _saved(notebook)
    found = {hook.directive.label: hook.cell for hook in registry.hooks()}
    ran = {test.name.partition("[")[0] for test in results.tests.values()} if results else set()
    found |= {
        name: cell for name, cell in _targets(notebook, ()) if cell is not None and name in ran
    }
    return [f"{name}: {DIFFERS}" for name, cell in found.items() if saved.differs(cell)]


def none_yet(notebook: Notebook) -> str:
    """That no test cell has run, and how many the saved notebook has; empty where that is not why."""
    if notebook.registry.tests():
        return ""
    found = [directives.find(source) for source in _saved(notebook).sources.values()]
    count = sum(each is not None and each[0] == "test" for each in found)
    if not count:
        return ""
    cells = "1 test cell" if count == 1 else f"{count} test cells"
    return (
        f"no test cell has run in this kernel yet; the saved notebook has {cells}: "
        "run the cells first (Run All)"
    )


@dataclasses.dataclass(frozen=True)
class _Saved:
    """The cells of the notebook's file by their ids, and when it was saved."""

    sources: Mapping[str, str]
    when: float

    def differs(self, cell: Cell) -> bool:
        """Whether the file has another text for the cell than the one that ran."""
        return self.sources.get(cell.id, cell.source) != cell.source


def _saved(notebook: Notebook) -> _Saved:
    """What the notebook's file says; nothing where it is unknown or damaged, for it is a hint only."""
    try:
        text = notebook.path.read_text(encoding="utf-8-sig")
        cells = json.loads(text)["cells"]
        sources = {cell["id"]: "".join(cell["source"]) for cell in cells if "id" in cell}
        return _Saved(sources, notebook.path.stat().st_mtime)
    except (OSError, ValueError, LookupError, TypeError):
        return _Saved({}, 0.0)
