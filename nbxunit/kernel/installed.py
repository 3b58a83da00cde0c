"""What is installed, read once: pytest looks for its plugins there at the beginning of each run.

Imports the standard library.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Known:
    """An installed distribution whose files have been read once."""

    def __init__(self, distribution: importlib.metadata.Distribution) -> None:
        self._distribution = distribution
        self.entry_points = distribution.entry_points

    @functools.cached_property
    def files(self) -> list[importlib.metadata.PackagePath] | None:
        return self._distribution.files

    @functools.cached_property
    def metadata(self) -> Any:
        return self._distribution.metadata

    def __getattr__(self, name: str) -> Any:
        return getattr(self._distribution, name)


@functools.lru_cache(maxsize=1)
def _known(folders: tuple[tuple[str, int], ...]) -> list[_Known]:
    del folders  # the key: installing something changes a folder of the path
    return list(map(_Known, importlib.metadata.distributions()))


@contextlib.contextmanager
def known_distributions() -> Iterator[None]:
    """Within, pytest looks for plugins in what was installed when it looked last, if that is it.

    It reads each distribution's files twice a run, which takes a third of a small one.
    """
    real = importlib.metadata.distributions
    folders = tuple(
        (entry, Path(entry).stat().st_mtime_ns) for entry in sys.path if Path(entry).is_dir()
    )
    known: Any = _known(folders)
    importlib.metadata.distributions = lambda **context: real(**context) if context else known
    try:
        yield
    finally:
        importlib.metadata.distributions = real
