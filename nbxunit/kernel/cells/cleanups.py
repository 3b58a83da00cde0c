"""The module cleanups that cells add at their top level, which belong to those cells.

Imports neither IPython nor pytest. unittest keeps one list for the whole process, so a cell that
runs again, or a reset, has to take back what it had added, as it does with all that it declares.
"""

from __future__ import annotations

from nbxunit.kernel.compat import nodes as pytest_nodes


class CellCleanups:
    """Who added which of unittest's module cleanups."""

    def __init__(self) -> None:
        self._of_cells: dict[str, list[object]] = {}

    def begin(self, key: str) -> None:
        """The cell `key` is about to run: take back what it had added, leave what others add."""
        self._take_back(self._of_cells.pop(key, []))

    def end(self, key: str) -> None:
        """The cell `key` has run: what is new is its own."""
        known = [entry for entries in self._of_cells.values() for entry in entries]
        new = [entry for entry in pytest_nodes.module_cleanups() if not _is_in(entry, known)]
        if new:
            self._of_cells.setdefault(key, []).extend(new)

    def clear(self) -> None:
        """Take back what cells have added."""
        for entries in self._of_cells.values():
            self._take_back(entries)
        self._of_cells.clear()

    @staticmethod
    def _take_back(entries: list[object]) -> None:
        cleanups = pytest_nodes.module_cleanups()
        cleanups[:] = [entry for entry in cleanups if not _is_in(entry, entries)]


def _is_in(entry: object, entries: list[object]) -> bool:
    # By identity: two cells may add the same function, and arguments may compare in any way.
    return any(entry is each for each in entries)
