"""Looking for tests that depend on each other: what they do to names, a second run, another order.

May import pytest. These options of `%xunit_run` are ours, and taken off before pytest sees the rest.
"""

from __future__ import annotations

import dataclasses
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.cells import data, differing
from nbxunit.kernel.run.tree import is_history

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.results.model import Results

OPTIONS = ("--state-guard", "--twice", "--shuffle")


@dataclasses.dataclass(frozen=True)
class Guards:
    """What was asked for: `seed` is that of the order, None for the notebook's own."""

    state: bool = False
    twice: bool = False
    seed: int | None = None

    @classmethod
    def of(cls, words: Sequence[str]) -> tuple[Guards, list[str]]:
        """The guards among `words`, and the other words. ValueError for a seed that is not a number."""
        seed = None
        rest = []
        for word in words:
            name, _, value = word.partition("=")
            if name == "--shuffle":
                seed = int(value) if value else secrets.randbelow(10_000)
            elif word not in OPTIONS:
                rest.append(word)
        return cls("--state-guard" in words, "--twice" in words, seed), rest

    def plugins(self, notebook: Notebook, results: Results) -> list[object]:
        """The plugins for one run."""
        found: list[object] = []
        if self.state:
            found.append(StateGuard(notebook.namespace, results))
        if self.seed is not None:
            results.notes.append(f"shuffled: in this order again with --shuffle={self.seed}")
            found.append(Shuffle(self.seed))
        return found


class StateGuard:
    """The plugin that notes which names of the notebook the body of a test changes.

    By identity, by the number of items, and by the contents of frames and arrays: cheap, and blind to
    a change of another object that keeps both.
    """

    def __init__(self, namespace: Mapping[str, object], results: Results) -> None:
        self._namespace = namespace
        self._results = results

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Compare before and after."""
        before = self._state()
        try:
            return (yield)
        finally:
            changes = ", ".join(_changes(before, self._state()))
            if changes:
                name = item.nodeid.partition("::")[2]
                self._results.notes.append(f"state guard: {name} {changes}")

    def _state(self) -> dict[str, tuple[object, object]]:
        return {
            name: (
                value,
                _size(value) if data.kind(value) is None else differing.fingerprint(value),
            )
            for name, value in self._namespace.items()
            if not is_history(name)
        }


def _size(value: object) -> int | None:
    """How many items a container has; only of kinds that tell without running code of others."""
    return len(value) if isinstance(value, (list, dict, set, bytearray)) else None


def _changes(
    before: Mapping[str, tuple[object, object]], after: Mapping[str, tuple[object, object]]
) -> Iterator[str]:
    for name, (value, size) in after.items():
        if name not in before:
            yield f"created {name}"
        elif before[name][0] is not value:
            yield f"rebound {name}"
        elif before[name][1] != size and data.kind(value) is not None:
            yield f"changed {name} in place"
        elif before[name][1] != size:
            yield f"changed {name} ({before[name][1]} items, then {size})"
    yield from (f"deleted {name}" for name in before if name not in after)


class Shuffle:
    """The plugin that runs tests in a random order; those of a class stay together."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Another order."""
        order = random.Random(self._seed)  # noqa: S311 - no secret depends on it
        groups: dict[Any, list[pytest.Item]] = {}
        for item in items:
            cls = item.getparent(pytest.Class)
            groups.setdefault(cls or item, []).append(item)
        shuffled = list(groups.values())
        order.shuffle(shuffled)
        for group in shuffled:
            order.shuffle(group)
        items[:] = [item for group in shuffled for item in group]


def differences(first: Results, second: Results) -> list[str]:
    """The tests whose outcomes differ between two runs, in words."""
    names = dict.fromkeys([*first.tests, *second.tests])
    found = []
    for name in names:
        outcomes = [
            results.tests[name].outcome if name in results.tests else "not run"
            for results in (first, second)
        ]
        if outcomes[0] != outcomes[1]:
            told = f"{name.partition('::')[2]} {outcomes[0]} at first, then {outcomes[1]}"
            found.append(f"run twice: {told}")
    return found
