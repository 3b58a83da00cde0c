"""The tests that cells have defined, kept where code such as %%ipytest's deletes them.

Imports the standard library. Before each of its cells, %%ipytest deletes the tests of those above.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping


class KeptTests:
    """The tests of cells, by the cells' keys. `lost` names those whose name another cell took, and both."""

    def __init__(self) -> None:
        self.lost: dict[str, tuple[str, str]] = {}
        self._kept: dict[str, dict[str, object]] = {}

    def begin(self, key: str) -> None:
        """The cell `key` is about to run."""
        self._kept.pop(key, None)
        self.lost = {name: keys for name, keys in self.lost.items() if key not in keys}

    def clear(self) -> None:
        """Keep nothing any more."""
        self._kept.clear()
        self.lost.clear()

    def keep(self, key: str, tests: Mapping[str, object]) -> bool:
        """Keep what the cell `key` has defined; whether that is anything."""
        if tests:
            self._kept[key] = dict(tests)
        return bool(tests)

    def take_names(self, key: str, names: Iterable[str], namespace: Container[str]) -> None:
        """The cell `key` is about to define these names; those of others are lost that are gone."""
        for name in names:
            for other, kept in self._kept.items():
                if name in kept and other != key and name not in namespace:
                    self.lost[name] = other, key

    def delete(self, names: Iterable[str]) -> None:
        """A cell deletes these names in so many words: no test of that name is kept."""
        for kept in self._kept.values():
            for name in names:
                kept.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether a test of that name is kept."""
        return any(name in kept for kept in self._kept.values())

    def swept(self, namespace: Container[str], suspended: Collection[str]) -> dict[str, object]:
        """The tests that `namespace` lacks, without those of the `suspended` cells."""
        return {
            name: value
            for key, kept in self._kept.items()
            for name, value in kept.items()
            if name not in namespace and key not in suspended
        }
