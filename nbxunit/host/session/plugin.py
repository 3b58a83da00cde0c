"""Notebooks in the order of the session, each in its kernel; the plugins of a session together.

May import pytest; what is heavier comes with the first notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from nbxunit.host import compat
from nbxunit.host.session.annotations import Annotations
from nbxunit.host.session.collecting import Collecting
from nbxunit.host.session.ending import Ending
from nbxunit.host.session.items import NotebookItem, StandIn
from nbxunit.host.session.measuring import Measuring
from nbxunit.host.session.neighbours import Neighbours
from nbxunit.host.session.reporting import Reporting
from nbxunit.host.session.runs import Runs
from nbxunit.host.session.state import NotebookSession, is_over
from nbxunit.host.session.summaries import Summaries

if TYPE_CHECKING:
    from nbxunit.host.records import Record
    from nbxunit.host.running.pools import Run
    from nbxunit.host.session.replay import Replay


def register(config: pytest.Config) -> None:
    """Make `config`'s run one with notebooks. UsageError for settings that make no sense."""
    state = NotebookSession(config)
    runs = Runs(state)
    plugins = {
        "reporting": Reporting(config),
        "collecting": Collecting(state, runs),
        "running": Running(state, runs),
        "neighbours": Neighbours(state),
        "durations": state.durations,
        "warned": state.warned,
        "ending": Ending(state),
        "summaries": Summaries(state),
        "annotations": Annotations(config),
        "measuring": Measuring(config),
    }
    for name, plugin in plugins.items():
        config.pluginmanager.register(plugin, f"nbxunit-{name}")


class Running:
    """The plugin that runs notebooks."""

    def __init__(self, state: NotebookSession, runs: Runs) -> None:
        self._state = state
        self._runs = runs

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Let no reporter take a notebook for a test: for them there are its tests."""
        compat.Shield(
            session.config,
            "pytest_runtest_protocol",
            lambda item: isinstance(item, NotebookItem),
            self._run,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Replay a test of a notebook, inside of what reporters do around a test."""
        if not isinstance(item, StandIn):
            return None
        assert item.body is not None
        item.body()
        return True

    def _run(self, item: NotebookItem, nextitem: pytest.Item | None) -> bool:
        """Run a notebook."""
        from nbxunit.host.session.replay import Replay

        replay = Replay(item, self._state)
        reason = self._state.why_skipped(item.parent)
        if reason is not None:
            replay.skip_notebook(reason)
            return True
        run = self._runs.of(item, nextitem)
        try:
            self._runs.limit(run, item.session)
            replay.replay(self._due(run, item, replay))
        except KeyboardInterrupt:
            self._state.signals.is_ending = True
            doing = run.doing
            self._runs.interrupt({item: replay})
            is_interrupt = self._state.signals.exit_status is None
            how = "interrupted" if is_interrupt else f"ended by {self._state.signals.name}"
            raise KeyboardInterrupt(f"{item.notebook_id}: {how} at {doing}") from None
        seconds = self._runs.forget(item)
        self._state.durations.took(item.notebook_id, seconds)
        replay.end()
        self._conclude(item, replay)
        return True

    def _due(self, run: Run, item: NotebookItem, replay: Replay) -> Iterator[Record]:
        """The records of a run that are to be replayed."""
        for record in self._runs.records(run, item):
            # A run that is over may still be in a test, with its teardown to report.
            if not is_over(item.session) or replay.is_in_test:
                yield record
            if is_over(item.session):
                run.begin_no_test()

    def _conclude(self, item: NotebookItem, replay: Replay) -> None:
        self._state.skips += replay.skips
        if replay.ended is not None:
            self._state.workers.ended(item.notebook_id, replay.ended.output)
            if replay.ended.summary.strip():
                self._state.said[item.notebook_id] = replay.ended.summary
        if replay.exit_status is not None:
            self._state.exit_status = replay.exit_status
        if replay.not_found:
            self._state.not_found.append(replay.not_found)
        if replay.updated:
            self._state.updated.append(
                f"{item.notebook_id}: wrote the outputs of {replay.updated} "
                f"cell{'s' * (replay.updated > 1)} into the notebook"
            )
        if replay.empty is not None:
            self._state.empty.append("\n  ".join([f"{item.notebook_id}: no tests", *replay.empty]))
        if replay.exit is not None and not is_over(item.session):
            reason, status = replay.exit
            pytest.exit(f"{item.notebook_id}: {reason}", status)
        if replay.interrupted and not is_over(item.session):
            raise KeyboardInterrupt(f"a test of {item.notebook_id} was interrupted")
