"""From registry and namespace to pytest's nodes: the notebook as a module, its hooks checked.

May import pytest. The notebook is a `pytest.Module` whose object is `__main__`; what pytest collects
there, by its own rules, is put into the notebook's order.
"""

from __future__ import annotations

import math
import re
import types
import unittest
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.directives import Kind, Scope, lines_of
from nbxunit.kernel.cells.registry import Declaration
from nbxunit.kernel.compat import ipython, sessions
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import fixtures, unittest_rules
from nbxunit.kernel.run import checks, tree
from nbxunit.kernel.run.injection import Injection

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.run.state import RunState

_FUNCTION_HOOKS = ("setup_function", "teardown_function")
_MODULE_HOOKS = (
    "setup_module",
    "teardown_module",
    "setUpModule",
    "tearDownModule",
    *_FUNCTION_HOOKS,
)
_CLASS_HOOKS = ("setup_class", "teardown_class", "setup_method", "teardown_method")
_TESTCASE_HOOKS = (*_CLASS_HOOKS, "setUpClass", "tearDownClass", "setUp", "tearDown")


class NotebookModule(pytest.Module):
    """The notebook as pytest sees it: a module whose object is the notebook's namespace."""

    notebook: Notebook
    run: RunState
    load_tests: unittest_rules.LoadTests | None = None
    _injection: Injection | None = None
    _open: Mapping[str, pytest.Class] | None = None

    @classmethod
    def of(cls, notebook: Notebook, run: RunState, parent: pytest.Collector) -> NotebookModule:
        """The node of `notebook` below `parent`."""
        node: NotebookModule = cls.from_parent(parent, path=notebook.path, **_id(notebook, parent))
        node.notebook, node.run = notebook, run
        pytest_nodes.use_conftests_of_folder(node)
        pytest_nodes.place_node(node, str(notebook.path), 1)
        pytest_nodes.after_registration(node, "module", node._add_module_hooks, replace=True)
        pytest_nodes.after_registration(node, "function", node._add_function_hooks)
        return node

    def _getobj(self) -> types.ModuleType:
        return ipython.main_module(self.notebook.shell)

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """The tests of the notebook in its order. CollectError names all that makes no sense."""
        self.release()
        injection = self._injection = Injection(self.notebook)
        injection.hide(self._left_hooks())
        self.config.add_cleanup(injection.undo)
        self._fail_for(checks.plugins_of_cells(self.notebook, self.session))
        injection.restore(self.notebook.registry.swept(self.notebook.namespace))
        self._fail_for(checks.refused_cells(self.notebook))
        self._fail_for(checks.lost_tests(self.notebook))
        named, left_out = self._named_tests()
        self._fail_for(injection.errors(named))
        self._fail_for(checks.async_hooks(self.obj, "the notebook", _MODULE_HOOKS))
        with tree.without_history(self):
            nodes = list(super().collect())
        self._fail_for(injection.errors(left_out))
        registry = self.notebook.registry
        registry.note_names(self.obj.__dict__)
        places = registry.places()
        nodes.sort(key=lambda node: places.get(tree.original_name(node), math.inf))
        if self.notebook.headless:
            checks.warn_of_redefinitions(self.notebook, map(tree.original_name, nodes))
            checks.warn_of_replaced(self.notebook, self._is_test_name)
        self._fail_for(checks.doubts(self.notebook, named if self.run.partial else None))
        # Late: doctest keeps the pdb that is there when it is imported, and ipykernel puts its own there.
        from nbxunit.kernel.run import doctests

        nodes += doctests.collect(self, self.notebook)
        items, classes = tree.descend(nodes)
        self._fail_for(self._lost_tests(named, items))
        if not self.run.partial:
            self._fail_for(self._useless_hooks(classes))
        self._apply_load_tests(nodes, items)
        return nodes

    def _is_test_name(self, name: str) -> bool:
        return bool(self.funcnamefilter(name) or self.classnamefilter(name))

    def _named_tests(self) -> tuple[list[Declaration], list[Declaration]]:
        """The test cells that are to be collected, and those that others may only call.

        Collecting a hundred takes longer than running one.
        """
        tests = self.notebook.registry.tests()
        out = self.run.left_out
        return (
            [test for test in tests if test.directive.target not in out],
            [test for test in tests if test.directive.target in out],
        )

    def release(self) -> None:
        """Take the test cells out of the namespace again, before the next collection at the latest."""
        if self._injection is not None:
            self._injection.undo()

    # --- a scope that is kept open ---

    @property
    def is_open(self) -> bool:
        """Whether this node stays for the next collection."""
        return self._open is not None

    def keep_open(self, scope: pytest.Collector) -> None:
        """Keep this node, the class `scope` and those around it."""
        classes = [node for node in scope.listchain() if isinstance(node, pytest.Class)]
        self._open = {tree.target(node): node for node in classes}

    def kept(self, node: pytest.Class) -> pytest.Class | None:
        """The class that was kept open in place of `node`, which is the same one found again."""
        kept = (self._open or {}).get(tree.target(node))
        if kept is not None:
            kept.obj = node.obj
            sessions.collect_afresh(kept)
        return kept

    def _fail_for(self, errors: Iterable[str]) -> None:
        found = list(errors)
        if found:
            raise self.CollectError("\n".join(found))

    # --- hooks ---

    def _left_hooks(self) -> list[str]:
        """The Python hooks and fixtures that no cell defines any more."""
        return [
            name
            for name, value in self.notebook.namespace.items()
            if (name in _MODULE_HOOKS or pytest_nodes.is_fixture(value))
            and self.notebook.registry.is_left(name, value)
        ]

    def _add_module_hooks(self) -> None:
        unittest_rules.register_module_fixture(self, self.run.namespace)
        if _has_any(self.obj, _FUNCTION_HOOKS):
            fixtures.register_frame(self, "function", self.run, _is_in_no_class)
        self._register(self, "module", "module", self.notebook.registry.hooks)

    def _add_function_hooks(self) -> None:
        hooks = self.notebook.registry.hooks
        self._register(self, "function", "function", hooks)

    def extend(self, node: pytest.Class) -> None:
        """Let the class `node` register the hook cells of its class behind its Python hooks."""
        pytest_nodes.place_node(node, *self._place_of_class(node))
        pytest_nodes.after_registration(node, "class", lambda: self._add_class_hooks(node))
        is_testcase = issubclass(node.obj, unittest.TestCase)
        # A TestCase has setUpClass and its kind always; pytest ends them with the class, too.
        if _has_any(node.obj, (*_CLASS_HOOKS[:2], "setUpClass")):
            fixtures.register_frame(node, "class", self.run)
        if _has_any(node.obj, _CLASS_HOOKS[2:]):
            fixtures.register_frame(node, "method", self.run)
        if not is_testcase:
            pytest_nodes.after_registration(node, "method", lambda: self._add_method_hooks(node))
        names = _TESTCASE_HOOKS if is_testcase else _CLASS_HOOKS
        self._fail_for(checks.async_hooks(node.obj, node.name, names))

    def _place_of_class(self, node: pytest.Class) -> tuple[str, int]:
        """The file and line of the cell that defines a class."""
        for cell in reversed(
            self.notebook.registry.definers(node.obj.__qualname__.partition(".")[0])
        ):
            lines = lines_of(cell.source)
            pattern = re.compile(rf"\s*class\s+{re.escape(node.obj.__name__)}\b")
            line = next((number for number, text in enumerate(lines, 1) if pattern.match(text)), 1)
            return cell.filename, line
        return str(self.notebook.path), 1

    def _add_class_hooks(self, node: pytest.Class) -> None:
        self._register(node, "class", f"class {node.name}", self._hooks_of(node))
        if issubclass(node.obj, unittest.TestCase):
            self._add_method_hooks(node)  # pytest registers a TestCase's setup_method first

    def _add_method_hooks(self, node: pytest.Class) -> None:
        self._register(node, "method", f"method of {node.name}", self._hooks_of(node))

    def _hooks_of(self, node: pytest.Class) -> Any:
        """The hooks that concern a class: those of its bases first, each in notebook order."""
        mro = list(node.obj.__mro__)[::-1]

        def hooks(kind: Kind, scope: Scope) -> list[Declaration]:
            found = [
                (mro.index(cls), hook)
                for hook in self.notebook.registry.hooks(kind, scope)
                if (cls := self._class(hook.directive.path)) in mro
            ]
            return [hook for _, hook in sorted(found, key=lambda pair: pair[0])]

        return hooks

    def _register(self, node: pytest.Collector, scope: Scope, label: str, hooks: Any) -> None:
        found = fixtures.HookScope(
            self.run, f"{label} scope", hooks("setup", scope), hooks("teardown", scope)
        )
        serves = _is_in_no_class if scope == "function" else _always
        fixtures.register(node, scope, found, serves)

    def _class(self, path: Iterable[str]) -> object:
        """What the notebook has under the name of a class, or None."""
        found: object = self.obj
        for name in path:
            found = getattr(found, name, None)
        return found

    # --- checks ---

    def _lost_tests(
        self, tests: Iterable[Declaration], items: Iterable[pytest.Item]
    ) -> Iterator[str]:
        """Test cells that pytest did not collect: none is lost in silence."""
        collected = {tree.target(item) for item in items}
        for test in tests:
            if test.directive.target not in collected:
                yield (
                    f"{test.cell.label}: {test.directive.target} was not collected; "
                    "a test class has no __init__, no __test__ = False, is not abstract and no mixin of a TestCase"
                )

    def _useless_hooks(self, classes: Iterable[pytest.Class]) -> Iterator[str]:
        tested = {base for node in classes for base in node.obj.__mro__}
        names = sorted({tree.target(node) for node in classes})
        for hook in self.notebook.registry.hooks():
            path = hook.directive.path
            if not path:
                continue
            found = self._class(path)
            where = f"{hook.cell.label}: {hook.directive.label}"
            if found is None:
                known = f"; classes with tests: {', '.join(names)}" if names else ""
                yield f"{where}: the notebook has no class {'::'.join(path)}{known}"
            elif not isinstance(found, type):
                yield f"{where}: {'::'.join(path)} is not a class but {found!r:.80}"
            elif found not in tested:
                yield f"{where}: the class has no tests, so the hook would never run"

    def _apply_load_tests(
        self, nodes: Iterable[pytest.Item | pytest.Collector], items: list[pytest.Item]
    ) -> None:
        if not callable(getattr(self.obj, "load_tests", None)):
            return
        known = {node.obj: node for node in nodes if isinstance(node, pytest.Class)}

        def node_of(test: unittest.TestCase) -> pytest.Class:
            cls = type(test)
            if cls not in known:
                known[cls] = pytest_nodes.testcase_node(self, test)
                self.extend(known[cls])
                pytest_nodes.collect_children(known[cls])  # registers its setUpClass and its kind
            return known[cls]

        self.load_tests = unittest_rules.LoadTests(self.obj, items, node_of)
        self._fail_for(self.load_tests.errors)


def _id(notebook: Notebook, parent: pytest.Collector) -> dict[str, Any]:
    """The node id of the notebook, where it is not just its path."""
    if not notebook.variant:
        return {}
    plain: pytest.Module = pytest.Module.from_parent(parent, path=notebook.path)
    return {"nodeid": f"{plain.nodeid}[{notebook.variant}]"}


def _is_in_no_class(request: pytest.FixtureRequest) -> bool:
    return request.cls is None


def _always(_: pytest.FixtureRequest) -> bool:
    return True


def _has_any(owner: object, names: Iterable[str]) -> bool:
    return any(callable(getattr(owner, name, None)) for name in names)
