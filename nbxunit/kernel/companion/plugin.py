"""A companion module as pytest collects it, and its fixture `notebook`: one definition for each mark.

May import pytest. A fixture's scope is fixed with its definition, so each marked module, class and function
has a definition of its own, which is registered before the functions below it are made.
"""

from __future__ import annotations

import dataclasses
import sys
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.companion.document import Document, DocumentError
from nbxunit.kernel.companion.execution import Execution, Watch, label_of
from nbxunit.kernel.companion.handle import CompanionNotebook
from nbxunit.kernel.companion.marks import MarkError, NotebookMark
from nbxunit.kernel.companion.namespaces import Namespace
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import bridge
from nbxunit.parameters import ParameterError

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook

FIXTURE = "notebook"
MARK = "notebook"


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What the executions of a companion share.

    `watch` is told of each cell, `save` takes each executed notebook. With `live`, nothing is executed:
    the notebook is the one that a person works in.
    """

    notebook: Notebook
    watch: Watch = dataclasses.field(default_factory=Watch)
    save: Callable[[Execution], None] = lambda _: None
    live: bool = False


class CompanionModule(pytest.Module):
    """A test module whose marks name notebooks."""

    plugin: Companion
    load_tests = None

    def collect(self) -> Any:
        """Its tests, behind the fixture that its own marks ask for."""
        self.plugin.register(self, self.nodeid, self.obj)
        return super().collect()

    def release(self) -> None:
        """Nothing has been put into a namespace."""

    is_open = False


class Companion:
    """The plugin that lets pytest collect one companion module and nothing else."""

    def __init__(self, path: Path, surroundings: Surroundings) -> None:
        self.path = path
        self.module: CompanionModule | None = None
        self._surroundings = surroundings

    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """The module."""
        if module_path != self.path:
            return None
        self.module = CompanionModule.from_parent(parent, path=module_path)
        self.module.plugin = self
        return self.module

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Module | pytest.Class, name: str, obj: object
    ) -> Any:
        """Before functions are made of a class or function, register the fixture of its own marks."""
        is_class = isinstance(obj, type)
        if not is_class:
            self.register(collector, f"{collector.nodeid}::{name}", obj)
        found = yield
        if is_class and isinstance(found, pytest.Class):
            self.register(found, found.nodeid, obj)
            if issubclass(found.obj, unittest.TestCase):  # pytest makes its functions by itself
                for method in dir(obj):
                    self.register(found, f"{found.nodeid}::{method}", getattr(obj, method, None))
        return found

    def register(self, node: pytest.Collector, nodeid: str, obj: object) -> None:
        """Register the fixture of the marks that `obj` itself has, visible below `nodeid`."""
        own = [mark for mark in pytest_nodes.marks(obj) if mark.name == MARK]
        if not own:
            return
        try:
            mark = NotebookMark.of(own[-1], self.path)
        except MarkError as exc:
            raise node.CollectError(f"{nodeid}: {exc}") from exc
        pytest_nodes.register_named_fixture(node, nodeid, FIXTURE, self._fixture(mark), mark.scope)

    def _fixture(self, mark: NotebookMark) -> Any:
        around = self._surroundings

        def notebook(request: pytest.FixtureRequest) -> Iterator[CompanionNotebook]:
            __tracebackhide__ = True
            try:
                with_parameter = (
                    mark.with_parameter(request.param, self.path)
                    if hasattr(request, "param")
                    else mark
                )
                document = Document(with_parameter.path).with_parameters(with_parameter.parameters)
            except (MarkError, DocumentError, ParameterError) as exc:
                pytest.fail(str(exc), pytrace=False)
            label = label_of(with_parameter.path, request.config.rootpath)
            execution = Execution(around.notebook, document, label, around.watch)
            if around.live:
                _check_live(around.notebook, document)
                yield CompanionNotebook(execution, around.notebook.namespace)
                return
            yield from _executed(execution, around, execute=mark.execute)

        return notebook

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Give a TestCase that uses the fixture its notebook, as `self.notebook`."""
        instance = getattr(item, "instance", None)
        if isinstance(instance, unittest.TestCase):
            found = getattr(item, "funcargs", {}).get(FIXTURE)
            if isinstance(found, CompanionNotebook):
                instance.notebook = found  # type: ignore[attr-defined]

    def pytest_unconfigure(self) -> None:
        """Let the next run in this process import the module anew."""
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) == str(self.path):
                del sys.modules[name]


def _check_live(notebook: Notebook, document: Document) -> None:
    """Fail where the mark names another notebook than the one that a person works in."""
    __tracebackhide__ = True
    if notebook.path.is_file() and notebook.path.resolve() != document.path:
        pytest.fail(
            f"the mark names {document.path.name}, and this notebook is {notebook.path.name}; run the "
            "tests in that notebook, or with: nbxunit run",
            pytrace=False,
        )


def _executed(
    execution: Execution, around: Surroundings, *, execute: bool
) -> Iterator[CompanionNotebook]:
    """Execute the notebook in a `__main__` of its own, and give that back."""
    __tracebackhide__ = True
    namespace = Namespace(around.notebook.shell)
    namespace.open()
    try:
        if execute:
            bridge.wait(execution.run(execution.document.cells))
        yield CompanionNotebook(execution, namespace.names)
    finally:
        namespace.close()
        around.save(execution)
