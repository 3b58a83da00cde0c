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

    @property
    def version(self) -> str:
        # The distribution's own would read its metadata again.
        version: str = self.metadata["Version"]
        return version

    def __getattr__(self, name: str) -> Any:
        return getattr(self._distribution, name)


def number_of_plugins() -> int:
    """How many plugins of pytest are installed."""
    with read_once():
        distributions = list(importlib.metadata.distributions())
    return sum(each.group == "pytest11" for known in distributions for each in known.entry_points)


def plugins_of(config: Any) -> list[str]:
    """The names of the distributions of a pytest's plugins, sorted; to read them takes some milliseconds."""
    return sorted({dist.project_name for _, dist in config.pluginmanager.list_plugin_distinfo()})


@functools.cache
def _known(folder: Path, _changed: int) -> list[_Known]:
    return list(map(_Known, importlib.metadata.distributions(path=[str(folder)])))


@contextlib.contextmanager
def read_once() -> Iterator[None]:
    """Within, pytest looks for plugins in what a folder of the path held when it changed last.

    It reads each distribution's files twice a run, which takes a third of a small one.
    """
    real = importlib.metadata.distributions
    folders = [folder.absolute() for folder in map(Path, sys.path) if folder.is_dir()]
    known: Any = [each for folder in folders for each in _known(folder, folder.stat().st_mtime_ns)]
    importlib.metadata.distributions = lambda **context: real(**context) if context else known
    try:
        yield
    finally:
        importlib.metadata.distributions = real
