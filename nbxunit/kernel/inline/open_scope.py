"""A scope that is kept open between cells: one pytest session that is not ended yet.

May import pytest. `pytest.main` is one call; here its parts are called apart: the session begins,
an item without a body sets up what is wide enough, tests come and go inside, another item ends it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.kernel.compat import sessions
from nbxunit.kernel.run import engine
from nbxunit.kernel.run.collection import NotebookModule
from nbxunit.kernel.run.selection import Selection

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.run.state import RunState


class Opened:
    """The scope of `path` (a class, or () for the module) of `notebook`, once `open` has returned.

    A run is prepared when it is made: pytest.UsageError as from `engine.prepare`.
    """

    def __init__(self, notebook: Notebook, run: RunState, path: tuple[str, ...]) -> None:
        self.path = path
        self.prepared = engine.prepare(notebook, run, [])
        self.prepared.config.pluginmanager.register(engine.Sinking(self.prepared))
        self.at_exit: Callable[[], None] = lambda: None
        """What the end of the process calls."""
        self._session: pytest.Session | None = None
        self._scope: pytest.Collector | None = None
        self._active: dict[tuple[str, str], Any] = {}

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that are open: `module`, and the classes of the path."""
        return ("module", *("::".join(self.path[: n + 1]) for n in range(len(self.path))))

    @property
    def label(self) -> str:
        """How messages name what is open."""
        return f"class {'::'.join(self.path)}" if self.path else "module"

    def open(self, plugins: Sequence[object]) -> bool:
        """Collect the notebook and set the scope up; whether it is open now."""
        with self._piece(plugins):
            session = self._session = sessions.begin_session(self.prepared.config)
            session.perform_collect()
            if session.testsfailed:
                return False
            module = self._module()
            scope = self._find(module)
            module.keep_open(scope)
            self._protocol(sessions.bodiless_item(scope, "setup"), _after(scope))
            self._scope = None if self._has_failed() else scope
            return self._scope is not None

    def run(self, ids: Sequence[str], plugins: Sequence[object]) -> int:
        """Run the tests that `ids` name, or all, inside the scope; pytest's exit status.

        An interrupt closes the scope: nobody knows what state it is in.
        """
        session, scope = self._session, self._scope
        assert session is not None
        assert scope is not None
        session.testsfailed = session.testscollected = 0
        with self._piece(plugins):
            self.prepared.selecting.select(Selection(ids=tuple(ids)))
            items = list(session.perform_collect())
            if self._has_failed():
                return int(pytest.ExitCode.INTERRUPTED)
            if not items:
                return int(pytest.ExitCode.NO_TESTS_COLLECTED)
            try:
                for item, after in zip(items, [*items[1:], _after(scope)], strict=True):
                    self._protocol(item, after)
                failed = self._has_failed()
                return int(pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK)
            except (KeyboardInterrupt, pytest.exit.Exception):
                hook, excinfo = session.config.hook, pytest.ExceptionInfo.from_current()
                hook.pytest_keyboard_interrupt(excinfo=excinfo)
                sessions.tear_down_to(_after(scope))
        self.close(plugins)
        return int(pytest.ExitCode.INTERRUPTED)

    def close(self, plugins: Sequence[object]) -> None:
        """Tear everything down and end the session; what fails is reported as a test's teardown."""
        session, self._session = self._session, None
        if session is None:
            return
        with self._piece(plugins):
            try:
                if self._scope is not None:
                    session.testsfailed = 0
                    self._protocol(sessions.bodiless_item(self._scope, "teardown"), None)
            finally:
                sessions.end_session(session)

    def _has_failed(self) -> bool:
        return self._session is None or self._session.testsfailed > 0

    @property
    def is_closed(self) -> bool:
        """Whether it is not open any more."""
        return self._session is None

    def _protocol(self, item: pytest.Item, after: pytest.Item | None) -> None:
        sessions.reuse_fixtures(item, self._active)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        self._active |= sessions.active_fixtures(item)

    @contextlib.contextmanager
    def _piece(self, plugins: Sequence[object]) -> Iterator[None]:
        """Within, a part of the session runs, with `plugins` for this part."""
        manager = self.prepared.config.pluginmanager
        with engine.alone(self.prepared):
            for plugin in plugins:
                manager.register(plugin)
            try:
                yield
            finally:
                for plugin in plugins:
                    manager.unregister(plugin)
                if self.prepared.collecting.module is not None:
                    self.prepared.collecting.module.release()

    def _module(self) -> NotebookModule:
        module = self.prepared.collecting.module
        assert isinstance(module, NotebookModule)
        return module

    def _find(self, module: NotebookModule) -> pytest.Collector:
        """The node of the path. UsageError where the notebook has no such class with tests."""
        assert self._session is not None
        chains = [item.listchain() for item in self._session.items]
        nodes = {node: None for chain in chains for node in chain if isinstance(node, pytest.Class)}
        for node in nodes:
            names = [each.name for each in node.listchain() if isinstance(each, pytest.Class)]
            if tuple(names) == self.path:
                return node
        if not self.path:
            return module
        known = ", ".join(dict.fromkeys(node.name for node in nodes)) or "none"
        raise pytest.UsageError(
            f"the notebook has no class {'::'.join(self.path)} with tests; it has: {known}"
        )


def _after(scope: pytest.Collector) -> pytest.Item:
    """An item that needs the scope: what comes before it leaves it open."""
    return sessions.bodiless_item(scope, "next")
