"""Hook cells as fixtures: one autouse fixture for each node and scope, behind pytest's own.

May import pytest. A fixture of pytest's gives hook cells all that Python hooks have: order, reports,
skips, other fixtures as arguments. What a scope remembers while it is open is `scopes`'.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

import pytest

from nbxunit import originals
from nbxunit.directives import Scope
from nbxunit.kernel.cells.registry import Declaration
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import bridge, scopes


class Run(Protocol):
    """What hooks need to know of the run that they are part of."""

    @property
    def namespace(self) -> MutableMapping[str, object]:
        """The notebook's names."""

    @property
    def kept_names(self) -> MutableMapping[str, object] | None:
        """Takes the names that go away as a scope closes, if they are to be kept."""

    def hook_ran(self, hook: Declaration, seconds: float, *, passed: bool) -> None:
        """Note that a hook ran."""


PREFIX = "_nbxunit_"
"""How the names of these fixtures begin."""


class HookScope:
    """The hook cells of one node and scope, and what is open of them."""

    def __init__(
        self,
        run: Run,
        label: str,
        setups: Sequence[Declaration],
        teardowns: Sequence[Declaration],
    ) -> None:
        self._run = run
        self._label = label
        self._setups = setups
        self._teardowns = teardowns
        self._frame: scopes.Frame | None = None
        self._values: Mapping[str, object] = {}

    @property
    def hooks(self) -> list[Declaration]:
        """The setup cells, then the teardown cells."""
        return [*self._setups, *self._teardowns]

    @property
    def fixtures(self) -> list[str]:
        """The fixtures that the hooks ask for, each once."""
        return list(dict.fromkeys(name for hook in self.hooks for name in hook.directive.fixtures))

    def setup(self, values: Mapping[str, object]) -> None:
        """Open the scope and run the setup cells in order.

        When one raises, the rest and the teardown cells do not run; the cleanups do, and the scope
        is closed again.
        """
        __tracebackhide__ = True
        self._values = values
        self._frame = scopes.Frame(self._label, self._run.namespace)
        self._frame.open()
        try:
            for hook in self._setups:
                self._call(hook)
        except BaseException as exc:  # noqa: BLE001 - `_close` raises it again
            self._close([exc])

    def teardown(self) -> None:
        """Run the teardown cells in reverse order, each even if others raise; close the scope."""
        __tracebackhide__ = True
        errors: list[BaseException] = []
        for hook in reversed(self._teardowns):
            try:
                self._call(hook)
            except BaseException as exc:  # noqa: BLE001 - `_close` raises it again
                errors.append(exc)
        self._close(errors)

    def _call(self, hook: Declaration) -> None:
        __tracebackhide__ = True
        assert self._frame is not None
        arguments = {name: self._values[name] for name in hook.directive.fixtures}
        start = originals.perf_counter()
        passed = False
        try:
            with self._frame.binding(hook.binds):
                result = hook.make()(**arguments)
                if inspect.iscoroutine(result):
                    bridge.wait(result)
            passed = True
        finally:
            self._run.hook_ran(hook, originals.perf_counter() - start, passed=passed)

    def _close(self, errors: list[BaseException]) -> None:
        __tracebackhide__ = True
        frame, self._frame, self._values = self._frame, None, {}
        assert frame is not None
        frame.close(errors, self._run.kept_names)


def register(
    node: pytest.Collector,
    scope: Scope,
    hooks: HookScope,
    serves: Callable[[pytest.FixtureRequest], bool] = lambda _: True,
) -> None:
    """Register the fixture of `hooks` on `node`; it does nothing for tests it does not serve.

    Method and function hooks have function scope, for pytest knows no other.
    """
    if scope == "class":
        fixture = _once_a_node(node, hooks)
    elif scope == "module":
        fixture = _around_module(hooks)
    else:
        fixture = _around_test(hooks, serves)
    names = hooks.fixtures if scope in ("class", "module") else ()
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in names
        if name != "request"
    ]
    fixture.__signature__ = inspect.Signature(parameters)
    if hooks.hooks:
        # pytest names the place of a fixture in its messages: that of the first hook cell.
        filename = hooks.hooks[0].cell.filename
        fixture.__code__ = pytest_nodes.code_at_line_one(fixture.__code__, filename)
    pytest_scope = scope if scope in ("class", "module") else "function"
    pytest_nodes.register_fixture(node, f"{PREFIX}{scope}_{node.nodeid}", fixture, pytest_scope)


def register_frame(
    node: pytest.Collector,
    scope: Scope,
    run: Run,
    serves: Callable[[pytest.FixtureRequest], bool] = lambda _: True,
) -> None:
    """Register a scope around the Python hooks of `node`, so that their cleanups belong to it.

    To be called before pytest registers the hooks themselves: it closes behind them.
    """

    def fixture(request: pytest.FixtureRequest) -> Iterator[None]:
        __tracebackhide__ = True
        if not serves(request):
            yield
            return
        frame = scopes.Frame(f"{scope} scope", run.namespace)
        frame.open()
        yield
        frame.close([], run.kept_names)

    pytest_scope = scope if scope == "class" else "function"
    pytest_nodes.register_fixture(
        node, f"{PREFIX}python_{scope}_{node.nodeid}", fixture, pytest_scope
    )


def _around_module(hooks: HookScope) -> Any:
    requests: list[pytest.FixtureRequest] = []

    def fixture(**values: object) -> Iterator[None]:
        __tracebackhide__ = True
        hooks.setup({"request": requests.pop(), **values})
        yield
        hooks.teardown()

    fixture.nbxunit_requests = requests  # type: ignore[attr-defined]
    return fixture


def hand(fixture: object, request: pytest.FixtureRequest) -> None:
    """Hand a fixture of ours its request, right before pytest calls it.

    pytest would take longer to make it a parameter than for the rest of the fixture, for each test:
    also of a module's, which it has already called.
    """
    requests = getattr(fixture, "nbxunit_requests", None)
    if requests is not None:
        requests.append(request)


def _around_test(hooks: HookScope, serves: Callable[[pytest.FixtureRequest], bool]) -> Any:
    requests: list[pytest.FixtureRequest] = []

    def fixture() -> Iterator[None]:
        __tracebackhide__ = True
        request = requests.pop()
        if not serves(request):
            yield
            return
        # Asked for here and not in the signature: tests that are not served must not get them.
        values = {
            name: request.getfixturevalue(name) for name in hooks.fixtures if name != "request"
        }
        hooks.setup({"request": request, **values})
        yield
        hooks.teardown()

    fixture.nbxunit_requests = requests  # type: ignore[attr-defined]
    return fixture


def _once_a_node(node: pytest.Collector, hooks: HookScope) -> Any:
    """A class fixture that wraps nested classes once.

    pytest ends a class-scoped fixture with the class of the test that asked for it first, which may
    be a nested one; so the end is a finalizer of the node, and the fixture may be asked again.
    """
    outcome: list[BaseException | None] = []
    requests: list[pytest.FixtureRequest] = []

    def end() -> None:
        __tracebackhide__ = True
        failed = outcome.pop()
        if failed is None:
            hooks.teardown()

    def fixture(**values: object) -> None:
        __tracebackhide__ = True
        request = requests.pop()
        if outcome:
            if outcome[0] is not None:
                raise outcome[0]
            return
        outcome.append(None)
        node.addfinalizer(end)
        try:
            hooks.setup({"request": request, **values})
        except BaseException as exc:
            outcome[0] = exc
            raise

    fixture.nbxunit_requests = requests  # type: ignore[attr-defined]
    return fixture
