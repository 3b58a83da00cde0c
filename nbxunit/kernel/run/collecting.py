"""The plugin that lets pytest collect one notebook, and nothing on the way to it.

May import pytest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.cells import kept_code
from nbxunit.kernel.cells.kept_code import KeptCode
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import unittest_rules
from nbxunit.kernel.run.collection import NotebookModule

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.run.state import RunState


class Collecting:
    """The plugin that lets pytest collect one notebook and nothing else."""

    def __init__(self, notebook: Notebook, run: RunState) -> None:
        self._notebook = notebook
        self._run = run
        self.path = notebook.path if notebook.path.is_file() else notebook.path.parent
        self.module: NotebookModule | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Where pytest may leave files in a run, keep the code of tests from one to the next."""
        if self._notebook.headless and config.pluginmanager.hasplugin("cacheprovider"):
            self._notebook.kept_code = KeptCode(kept_code.file_of(self._notebook.path))

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_directory(self, path: Any, parent: pytest.Collector) -> Any:
        """A folder on the way to the notebook, whose file may be unknown; a package stays one."""
        found = yield
        if type(found) is pytest.Dir and self._notebook.path.is_relative_to(path):
            folder: NotebookDir = NotebookDir.from_parent(parent, path=path)
            folder.collecting = self
            return folder
        return found

    def pytest_collect_file(self, file_path: Any, parent: pytest.Collector) -> Any:
        """The notebook."""
        return self.collect(parent) if file_path == self._notebook.path else None

    def on_the_way(self, folder: pytest.Directory) -> Iterator[pytest.Collector]:
        """What leads from `folder` to the notebook."""
        notebook = self._notebook.path
        path = folder.path / notebook.relative_to(folder.path).parts[0]
        if path == notebook:
            yield self.collect(folder)
        else:
            yield from filter(
                None, [folder.ihook.pytest_collect_directory(path=path, parent=folder)]
            )

    def collect(self, parent: pytest.Collector) -> NotebookModule:
        """The notebook's node below `parent`."""
        if self.module is None or not self.module.is_open:
            self._notebook.kept_code.save()
            self.module = NotebookModule.of(self._notebook, self._run, parent)
        return self.module

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: object) -> Any:
        """Leave out what no cell defines any more; check marks; give classes their hook cells."""
        registry = self._notebook.registry
        if collector is self.module and registry.is_left(name, obj):
            outcome = yield
            return [] if outcome is not None else None
        if unittest_rules.is_of_unittest(obj):
            return (yield) and []
        found = yield
        if found is not None and self.module is not None:
            for mark in pytest_nodes.marks(obj):
                getattr(
                    pytest.mark, mark.name
                )  # with a session, pytest checks that it is registered
        if isinstance(found, pytest.Class) and self.module is not None:
            if unittest_rules.is_mixin(obj, vars(collector.obj).values()):
                return []
            kept = self.module.kept(found)
            if kept is not None:
                return kept
            self.module.extend(found)
        return found


class NotebookDir(pytest.Directory):
    """A folder in which pytest need not look at all files, for each of many notebooks."""

    collecting: Collecting

    def collect(self) -> Iterator[pytest.Collector]:
        """The way to the notebook alone."""
        return self.collecting.on_the_way(self)
