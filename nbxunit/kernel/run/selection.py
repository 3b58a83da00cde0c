"""Which of a notebook's tests run, and in what order: node ids, load_tests, the host's cache.

May import pytest. `-k`, `-m` and `--deselect` are pytest's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from nbxunit.directives import did_you_mean

if TYPE_CHECKING:
    from nbxunit.kernel.lifecycle.unittest_rules import LoadTests


class Module(Protocol):
    """The node that holds all tests of a run, a notebook's or a companion's."""

    @property
    def nodeid(self) -> str:
        """Its node id."""

    @property
    def load_tests(self) -> LoadTests | None:
        """What its `load_tests` has made, if it has one."""

    @property
    def is_open(self) -> bool:
        """Whether it stays for the next collection."""

    def release(self) -> None:
        """Take what was put into a namespace away again."""


class Collects(Protocol):
    """The plugin that lets pytest collect one module; `path` is its file, or where that would be."""

    @property
    def path(self) -> Path:
        """What pytest is to collect."""

    @property
    def module(self) -> Module | None:
        """The node, once it is collected."""


@dataclasses.dataclass(frozen=True)
class Selection:
    """Plain instructions. Ids are without the notebook's: `TestDb::test_insert[1]`.

    `only`: all others are deselected (`--lf`). `first`: these come first (`--ff`). `known`: tests
    that are not among them come first (`--nf`). `resume_at`: all before it are deselected (`--sw`).
    None or empty: no instruction. With `quietly`, functions that `only` leaves out do not count as
    deselected: in a file that it was not given, pytest's `--lf` does not collect them.
    """

    ids: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    first: tuple[str, ...] = ()
    known: tuple[str, ...] | None = None
    resume_at: str | None = None
    quietly: bool = False


class Selecting:
    """The plugin that applies a selection."""

    def __init__(self, selection: Selection, collecting: Collects) -> None:
        self._selection = selection
        self._collecting = collecting
        self.collected: list[str] = []
        """The tests before anything was deselected."""

    def select(self, selection: Selection) -> None:
        """Apply another selection from now on."""
        self._selection = selection

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> Iterable[None]:
        """Node ids and load_tests first, then other plugins, then what the host's cache says."""
        module = self._collecting.module
        named = bool(self._selection.ids) and not session.testsfailed
        if module is not None and module.load_tests is not None:
            left_out = module.load_tests.apply(items)
            if named:  # also one that load_tests leaves out, as unittest does
                items += left_out
            else:
                _deselect(config, left_out)
        if named:
            items[:] = self._by_id(items)
        self.collected = [item.nodeid for item in items]
        yield
        self._by_cache(config, items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Tell plugins which tests were asked for, as pytest's arguments: syrupy deletes by them."""
        path = self._collecting.path
        words = [f"{path}::{each}" for each in self._selection.ids]
        if words:
            session.config.args = session.config.option.file_or_dir = words
        yield

    def _by_id(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """The items that the ids name, in the order of the ids, each once (pytest's arguments)."""
        chosen: dict[pytest.Item, None] = {}
        missing = []
        for wanted in self._selection.ids:
            found = [item for item in items if _is_named(inner_id(item), wanted)]
            chosen.update(dict.fromkeys(found))
            if not found:
                missing.append(wanted)
        if missing:
            assert self._collecting.module is not None
            notebook = self._collecting.module.nodeid
            known = list(dict.fromkeys(inner_id(item).partition("[")[0] for item in items))
            raise pytest.UsageError(
                *(f"not found: {notebook}::{name}{did_you_mean(name, known)}" for name in missing),
                f"the notebook has: {', '.join(known)[:1000] or 'no tests'}",
            )
        return list(chosen)

    def _by_cache(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        selection = self._selection
        if selection.only is not None:
            only = set(selection.only)
            gone = [item for item in items if inner_id(item) not in only]
            quiet = [item for item in gone if selection.quietly and "::" not in inner_id(item)]
            _deselect(config, [item for item in gone if item not in quiet])
            items[:] = [item for item in items if inner_id(item) in only]
        if selection.resume_at is not None:
            ids = [inner_id(item) for item in items]
            if selection.resume_at in ids:
                at = ids.index(selection.resume_at)
                _deselect(config, items[:at])
                items[:] = items[at:]
        first = set(selection.first)
        items.sort(key=lambda item: inner_id(item) not in first)
        if selection.known is not None:
            known = set(selection.known)
            items.sort(key=lambda item: inner_id(item) in known)


def inner_id(item: pytest.Item) -> str:
    """The node id of a test without its notebook's."""
    module = item.getparent(pytest.Module)
    prefix = f"{module.nodeid}::" if module is not None else ""
    return item.nodeid.removeprefix(prefix)


def _is_named(inner: str, wanted: str) -> bool:
    return inner == wanted or inner.startswith((f"{wanted}::", f"{wanted}["))


def _deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    if items:
        config.hook.pytest_deselected(items=items)
