"""What keeps other plugins working beside notebooks: pytest-timeout, xdist, reporters.

May import pytest.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import pytest

from nbxunit.host import compat
from nbxunit.host.session.items import NotebookItem, StandIn
from nbxunit.host.session.signals import Lasting
from nbxunit.host.session.state import NotebookSession

LESS = {
    "testmon": "nbxunit: --testmon does not know what notebooks depend on, so all of them run (--changed does)",
    "inline_snapshot": "nbxunit: inline-snapshot compares in notebooks, and writes no values into their cells",
}
"""Options of plugins that do less for notebooks than for modules."""


class Neighbours:
    """The plugin that answers other plugins for notebooks."""

    def __init__(self, state: NotebookSession) -> None:
        self._state = state
        self._config = state.config

    def pytest_report_header(self) -> list[str]:
        """Say what options of other plugins do not do for notebooks."""
        options = self._config.option
        return [text for name, text in LESS.items() if getattr(options, name, None)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session, whose count of tests grows, and let it end in order if its output is lost."""
        self._session = session
        compat.wrap_output(self._config, lambda file: Lasting(file, self._state.signals.lost))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """On xdist's controller: a worker knows how many tests a notebook has."""
        if not self._state.is_worker:
            compat.grow(self._session, getattr(report, "nbxunit_more", 0))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Let syrupy delete nothing here: it has not seen which snapshots notebooks use."""
        option = self._config.option
        has_notebooks = any(isinstance(item, NotebookItem) for item in session.items)
        if has_notebooks and hasattr(option, "disable_unused_snapshots"):
            option.disable_unused_snapshots = True
        yield

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """pytest-timeout works in the kernel; here it would end the session."""
        return True if isinstance(item, StandIn) else None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """See `pytest_timeout_set_timer`."""
        return True if isinstance(item, StandIn) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Stop pytest's watch over a hanging test, which is in the kernel, too."""
        is_ours = isinstance(item, StandIn)
        if is_ours and self._config.pluginmanager.hasplugin("faulthandler"):
            faulthandler.cancel_dump_traceback_later()
