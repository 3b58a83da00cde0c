"""How reporters are told of a notebook: each test inside its own protocol, as a sequence of whole reports.

May import pytest. What could not be collected is told by collect reports, as of a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import pytest

from nbxunit.host import compat
from nbxunit.host.session import settings
from nbxunit.host.session.items import NotebookItem, StandIn, Tree
from nbxunit.limits import Room

Location = tuple[str, int | None, str]
_IN_KERNELS = ("allure_listener",)
"""Plugins that write of tests where these run; of the stand-ins on the host they would write once more."""


class Telling:
    """Tells pytest's hooks of the tests of one notebook; `reports` and `failures` count.

    The texts of its reports share `room` with those of other notebooks. `running` is the test that has
    started and not ended, `has_verdict` whether it was told how it ended; `places` of tests are as they
    were collected.
    """

    def __init__(self, item: NotebookItem, room: Room) -> None:
        self._item = item
        self._room = room
        self._config = item.config
        self._session = item.session
        self._hook = item.ihook
        self._manager = item.config.pluginmanager
        self._tree = Tree(item.parent, item.notebook_id) if item.parent is not None else None
        self._stand_in: StandIn | None = None
        self._phases: set[str] = set()
        self._more = 0
        self.places: Mapping[str, tuple[int, int]] = {}
        self.running: tuple[str, Location] | None = None
        self.has_verdict = False
        self.reports = self.failures = 0
        self.grow(-1)  # the item itself is no test

    def grow(self, count: int) -> None:
        """`count` more tests are known."""
        compat.grow(self._session, count)
        self._more += count

    def test(self, nodeid: str, location: Location, body: Callable[[], None]) -> None:
        """Tell a test by `body`, inside of what plugins do around a test."""
        assert self._tree is not None
        item = self._tree.item(nodeid)
        item.location = location
        item.body = body
        self._stand_in = item
        self._subset("pytest_runtest_protocol", _IN_KERNELS)(item=item, nextitem=None)

    def start(self, nodeid: str, location: Location) -> None:
        """A test starts."""
        self.running = nodeid, location
        self.has_verdict = False
        self._phases.clear()
        self._item.speaks_for = nodeid
        self._hook.pytest_runtest_logstart(nodeid=nodeid, location=location)

    def start_again(self) -> None:
        """The test that has started is run once more."""
        self.has_verdict = False

    def log(self, report: pytest.TestReport) -> None:
        """Tell a report; one of a call has that of a setup before it."""
        if report.when == "call" and not self._phases:
            self._log(self._passed("setup"))
        self._log(report)

    def fail(self, text: Any, sections: Iterable[tuple[str, str]] = (), **marks: bool) -> None:
        """Tell that the running test has failed in its call; reports have the attributes `marks`."""
        assert self.running is not None
        longrepr, sections = self._failure(text, sections)
        report = pytest.TestReport(
            *self.running, {}, "failed", longrepr, "call", sections,
            user_properties=self._properties(self.running[0]),
        )  # fmt: skip
        vars(report).update(marks)
        self.log(report)

    def finish(self) -> None:
        """The test that runs has ended; its teardown has passed, if nobody has told of it."""
        assert self.running is not None
        nodeid, location = self.running
        if self._phases and "teardown" not in self._phases:
            self._log(self._passed("teardown"))
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
        self.running = self._item.speaks_for = None

    def made(self, nodeid: str, location: Location, reports: Iterable[pytest.TestReport]) -> None:
        """Tell of a test that the host has made."""

        def body() -> None:
            self.start(nodeid, location)
            for report in reports:
                self.log(report)
            self.finish()

        self.test(nodeid, location, body)

    def not_run(self, nodeid: str, text: Any, sections: Iterable[tuple[str, str]] = ()) -> None:
        """Tell that a test did not run, which is an error of its setup."""
        longrepr, sections = self._failure(text, sections)
        line = self.places[nodeid][1] - 1 if nodeid in self.places else None
        domain = nodeid.removeprefix(f"{self._item.notebook_id}::").replace("::", ".")
        location = (self._item.notebook_id, line, domain)
        report = compat.NotebookReport(
            nodeid, location, {}, "failed", longrepr, "setup", sections,
            user_properties=self._properties(nodeid),
        )  # fmt: skip
        self.made(nodeid, location, [report])

    def not_collected(
        self,
        outcome: Literal["passed", "failed", "skipped"],
        longrepr: Any,
        sections: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Tell that the notebook has failed or is skipped as a whole."""
        longrepr, sections = self._failure(longrepr, sections)
        nodeid, location = self._item.notebook_id, (self._item.notebook_id, None, "")
        self.grow(1)
        when: Any = "collect" if outcome == "failed" else "setup"
        report = compat.NotebookReport(nodeid, location, {}, outcome, longrepr, when, sections, 0.0)
        if hasattr(self._config, "workerinput"):  # xdist passes on collect reports of failures only
            self.start(nodeid, location)
            self._log(report)
            self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
            self.running = self._item.speaks_for = None
            return
        self.reports += 1
        self.failures += report.failed
        # A terminal shows progress for test reports only.
        terminal: Any = self._manager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.pytest_runtest_logstart(nodeid=nodeid, location=location)
            terminal.pytest_runtest_logreport(report=report)
            if hasattr(terminal, "pytest_runtest_logfinish"):  # before pytest 9.1
                terminal.pytest_runtest_logfinish(nodeid=nodeid)
        collect = compat.NotebookCollectReport(nodeid, report.outcome, longrepr, [], sections)
        self._subset("pytest_collectreport", ("terminalreporter",))(report=collect)
        for inner in self._item.selected if self._tree is not None and report.failed else ():
            assert self._tree is not None
            self._tell_editor(self._tree.item(f"{nodeid}::{inner}"), collect)

    def _failure(self, longrepr: Any, sections: Iterable[tuple[str, str]]) -> tuple[Any, Any]:
        """What a report says, and its sections, as far as there is room."""
        longrepr, sections = self._room.bounded((longrepr, list(sections)))
        if isinstance(longrepr, str):
            longrepr = compat.as_raised(longrepr, self._item.path.name)
        return longrepr, sections

    def _properties(self, nodeid: str) -> list[tuple[str, object]]:
        """What a report of this test has from the kernel, too."""
        cell, _ = self.places.get(nodeid, (0, 0))
        return [("notebook", self._item.notebook_id), ("cell", f"cell {cell}")] if cell else []

    def _passed(self, when: Any) -> pytest.TestReport:
        assert self.running is not None
        return pytest.TestReport(*self.running, {}, "passed", None, when)

    def _log(self, report: pytest.TestReport) -> None:
        report.nbxunit_told = True  # type: ignore[attr-defined] # xdist's controller sees it, too
        self._phases.add(str(report.when))
        self.reports += 1
        self.failures += report.failed
        self.has_verdict |= report.when == "call" or not report.passed
        if self._more and hasattr(self._config, "workerinput"):
            # xdist's controller counts items; the number of tests rides on a report.
            report.nbxunit_more = self._more  # type: ignore[attr-defined]
            self._more = 0
        is_error = report.when != "call" or getattr(report, "nbxunit_died", False)
        if report.failed and is_error and self._stand_in is not None:
            self._tell_editor(self._stand_in, report)
        self._hook.pytest_runtest_logreport(report=report)

    def _tell_editor(self, item: StandIn, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Let an editor know that a test that it has asked for could not run.

        pytest tells so by this hook; other plugins are called in the kernel, where the exception is.
        """
        if not settings.has_editor(self._config):
            return

        def fail() -> None:
            raise pytest.Collector.CollectError(report.longreprtext)

        call = pytest.CallInfo.from_call(fail, "setup")
        others = [
            plugin
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None and name not in settings.EDITORS
        ]
        interact = self._manager.subset_hook_caller("pytest_exception_interact", others)
        interact(node=item, call=call, report=report)

    def _subset(self, hook: str, without: Iterable[str]) -> Any:
        """A hook of all plugins but those `without`, called by their names."""
        plugins = [each for name in without if (each := self._manager.get_plugin(name)) is not None]
        return self._manager.subset_hook_caller(hook, plugins)
