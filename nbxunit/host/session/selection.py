"""Which notebooks run and what their kernels are told: node ids, groups, and what the cache knows.

May import pytest. `-k`, `-m` and `--deselect` are options that the kernels get as they are.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from nbxunit import text_notebooks
from nbxunit.host.notebooks import companions, files
from nbxunit.host.records import Checking
from nbxunit.host.session.items import NotebookItem

Asked: TypeAlias = list[tuple[str, str]]
"""What was asked for of a notebook: variants and tests, each empty where it was not named."""
_ENDINGS = "|".join(suffix[1:] for suffix in (".ipynb", *sorted(text_notebooks.SUFFIXES)))
_ARGUMENT = re.compile(rf"(.*?\.(?:{_ENDINGS}))(?:\[([^\]]+)\])?(?:::(.*))?", re.DOTALL)
"""File, variant and test. A notebook's own name may hold `::` and brackets in front of its ending."""


def split_arguments(config: pytest.Config) -> tuple[list[str], dict[Path, Asked]]:
    """Pytest's arguments with notebooks as whole files, and what was asked for in each."""
    arguments: dict[str, None] = {}
    asked: dict[Path, Asked] = {}
    for argument in config.args:
        match = _ARGUMENT.fullmatch(argument)
        file, variant, inner = match.groups(default="") if match else (argument, "", "")
        path = Path(os.path.abspath(config.invocation_params.dir / file))  # noqa: PTH100 - symlinks stay
        is_notebook = match is not None and files.is_notebook(config, path, named=True)
        if not is_notebook and not (inner and companions.is_companion(path)):
            arguments[argument] = None
            continue
        arguments[file] = None
        asked.setdefault(path, []).append((variant, inner))
    return list(arguments), asked


def divided(
    selection: Mapping[str, Any], checking: Checking | None
) -> tuple[dict[str, Any], Checking | None]:
    """The kernel's part of a selection, and that of the cells whose outputs are compared (`cell[3]`)."""
    told = dict(selection)
    if checking is None:
        return told, None
    names: set[str] | None = None
    for key in ("ids", "only"):
        asked = told.get(key)
        if not asked:
            continue
        cells = {name for name in asked if name.startswith("cell[")}
        names = cells if names is None else names & cells
        told[key] = tuple(name for name in asked if name not in cells)
        if not told[key]:
            told["only"] = ()
    return told, dataclasses.replace(checking, names=None if names is None else tuple(names))


class CacheSelection:
    """`--lf`, `--ff`, `--nf` and `--sw`, which the host turns into plain instructions."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._option = config.option
        self._instructions: dict[str, dict[str, Any]] = {}

    def of(self, item: NotebookItem) -> dict[str, Any]:
        """The instructions for the kernel of `item`."""
        return self._instructions.get(item.notebook_id, {})

    def apply(self, items: list[pytest.Item], order: list[pytest.Item]) -> None:
        """Drop and reorder notebooks in `items`; note what their kernels are to do.

        `order` are the items before any plugin chose among them.
        """
        if getattr(self._option, "splits", None) and getattr(self._option, "group", None):
            self._split(items)
        if getattr(self._option, "lf", False):
            self._last_failed(items)
        if getattr(self._option, "failedfirst", False):
            self._failed_first(items)
        if getattr(self._option, "newfirst", False):
            self._new_first(items)
        if getattr(self._option, "stepwise", False):
            self._stepwise(items, order)

    def _tell(self, item: NotebookItem, **instruction: Any) -> None:
        self._instructions.setdefault(item.notebook_id, {}).update(instruction)

    def _cached(self, key: str, default: Any) -> Any:
        cache = getattr(self._config, "cache", None)
        return cache.get(key, default) if cache is not None else default

    def _failed(self) -> tuple[Collection[str], Mapping[str, list[str]]]:
        """The node ids that failed last time, and those of tests by what may be their notebook."""
        failed = self._cached("cache/lastfailed", {})
        return failed, _inner(failed)

    def _split(self, items: list[pytest.Item]) -> None:
        """Deal notebooks out to the groups of pytest-split, which keeps a notebook in one piece."""
        ours = [item for item in items if isinstance(item, NotebookItem)]
        chosen = set(ours[self._option.group - 1 :: self._option.splits])
        items[:] = [item for item in items if not isinstance(item, NotebookItem) or item in chosen]

    def _last_failed(self, items: list[pytest.Item]) -> None:
        failed, tests = self._failed()
        kept: dict[pytest.Item, None] = {}
        gone: list[pytest.Item] = []
        for item in items:
            if not isinstance(item, NotebookItem):
                if item.nodeid in failed:
                    kept[item] = None
                else:
                    gone.append(item)
            elif item.notebook_id in failed or item.notebook_id in tests:
                kept[item] = None
        if not kept:
            return
        for item in kept:
            if isinstance(item, NotebookItem) and item.notebook_id not in failed:
                notebook: Any = item.parent
                self._tell(item, only=tests[item.notebook_id], quietly=not notebook.named)
        if gone:
            self._config.hook.pytest_deselected(items=gone)
        items[:] = kept

    def _failed_first(self, items: list[pytest.Item]) -> None:
        failed, tests = self._failed()

        def is_to_wait(item: pytest.Item) -> bool:
            if not isinstance(item, NotebookItem):
                return item.nodeid not in failed
            if item.notebook_id in tests:
                self._tell(item, first=tests[item.notebook_id])
            return not (item.notebook_id in tests or item.notebook_id in failed)

        items.sort(key=is_to_wait)

    def _new_first(self, items: list[pytest.Item]) -> None:
        cached = set(self._cached("cache/nodeids", []))
        tests = _inner(cached)

        def is_known(item: pytest.Item) -> bool:
            if not isinstance(item, NotebookItem):
                return item.nodeid in cached
            self._tell(item, known=tests.get(item.notebook_id, []))
            return item.notebook_id in tests

        items.sort(key=lambda item: item.path.stat().st_mtime, reverse=True)
        items.sort(key=is_known)

    def _stepwise(self, items: list[pytest.Item], order: list[pytest.Item]) -> None:
        cached = self._cached("cache/stepwise", None)
        last = cached.get("last_failed") if isinstance(cached, dict) else cached
        if not last or getattr(self._option, "stepwise_reset", False):
            return
        for index, item in enumerate(order):
            prefix = f"{item.notebook_id}::" if isinstance(item, NotebookItem) else ""
            if not (str(last).startswith(prefix) if prefix else item.nodeid == last):
                continue
            passed = set(order[:index])
            gone = [
                other for other in items if other in passed and not isinstance(other, NotebookItem)
            ]
            if gone:
                self._config.hook.pytest_deselected(items=gone)
            items[:] = [other for other in items if other not in passed]
            if isinstance(item, NotebookItem):
                self._tell(item, resume_at=str(last).removeprefix(prefix))
            return


def _inner(nodeids: Iterable[str]) -> dict[str, list[str]]:
    """What stands in `nodeids` behind each `::`, by what stands before it: its file has `::` in it, or none."""
    found: dict[str, list[str]] = {}
    for nodeid in nodeids:
        parts = nodeid.split("::")
        for count in range(1, len(parts)):
            found.setdefault("::".join(parts[:count]), []).append("::".join(parts[count:]))
    return found


def give_back(items: list[pytest.Item], order: list[pytest.Item], ours: list[pytest.Item]) -> None:
    """Put `ours` back into `items`, each behind what stood before it in `order`."""
    there, back = set(items), set(ours)
    behind: dict[pytest.Item | None, list[pytest.Item]] = {}
    before = None
    for item in order:
        if item in back:
            behind.setdefault(before, []).append(item)
        elif item in there:
            before = item
    items[:] = [
        *behind.get(None, ()),
        *(each for item in items for each in (item, *behind.get(item, ()))),
    ]
