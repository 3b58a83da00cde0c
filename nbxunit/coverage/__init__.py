"""coverage.py's plugin for notebooks: the lines of cells are those of their .ipynb file.

With its folder the only module of ours that imports coverage, which loads it by its name. In a kernel,
`tracing` knows the code of cells, and coverage measures it; elsewhere the plugin reads notebooks for reports.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from coverage import CoveragePlugin, FileReporter, FileTracer
from coverage.files import GlobMatcher, prep_patterns

from nbxunit.coverage import tracing
from nbxunit.coverage.reporting import NotebookReporter

if TYPE_CHECKING:
    from coverage.plugin_support import Plugins
    from coverage.types import TConfigurable

_OF_OTHERS = ("node_modules", "site-packages")


class Notebooks(CoveragePlugin):
    """The plugin: finds the cells in a kernel, and reads notebooks for reports."""

    def __init__(self) -> None:
        self._excluded = self._partial = ""
        self._includes = self._omits = GlobMatcher([])

    def configure(self, config: TConfigurable) -> None:
        """Take what the configuration leaves out; let it include cells, which are looked at here."""
        included = cast("list[str]", config.get_option("run:include") or [])
        self._includes = GlobMatcher(prep_patterns(included or ["*"]))
        self._omits = GlobMatcher(prep_patterns(cast("list[str]", config.get_option("run:omit"))))
        if included and tracing.current is not None:
            config.set_option("run:include", [*included, "**/*.ipynb/*"])
        self._excluded = _any_of(config, "report:exclude_lines")
        self._partial = _any_of(config, "report:partial_branches", "report:partial_branches_always")

    def file_tracer(self, filename: str) -> FileTracer | None:
        """What traces code of cells."""
        file = tracing.current.file(filename) if tracing.current is not None else None
        if file is None or self._omits.match(file.path) or not self._includes.match(file.path):
            return None
        assert tracing.current is not None
        return tracing.current.tracer(filename, file)

    def file_reporter(self, filename: str) -> FileReporter:
        """What reads the notebook."""
        return NotebookReporter(filename, self._excluded, self._partial)

    def find_executable_files(self, src_dir: str) -> Iterator[str]:
        """The notebooks below a folder."""
        for folder, folders, files in os.walk(src_dir):
            folders[:] = [name for name in folders if not name.startswith(".")]
            if "pyvenv.cfg" in files or folder.endswith(_OF_OTHERS):
                folders.clear()
                continue
            yield from (os.path.join(folder, name) for name in files if name.endswith(".ipynb"))  # noqa: PTH118


def _any_of(config: TConfigurable, *names: str) -> str:
    """One regular expression for all that these options have."""
    given = (cast("list[str]", config.get_option(name) or []) for name in names)
    return "|".join(f"(?:{each})" for each in itertools.chain(*given))


def coverage_init(registry: Plugins, _options: Any) -> None:
    """Register the plugin: to measure where there are cells, else to report."""
    plugin = Notebooks()
    registry.add_configurer(plugin)
    if tracing.current is not None:
        registry.add_file_tracer(plugin)
