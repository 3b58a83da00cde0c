"""What the plugins of one pytest session share.

May import pytest; what is heavier comes with the first notebook.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit import protocol
from nbxunit.host.notebooks import files, static_look
from nbxunit.host.session import cluster, settings
from nbxunit.host.session.changed import Changed
from nbxunit.host.session.durations import Durations
from nbxunit.host.session.selection import Asked, CacheSelection, split_arguments
from nbxunit.host.session.signals import Signals
from nbxunit.host.session.warned import Warned
from nbxunit.host.session.workers import Workers
from nbxunit.limits import RUN_LIMIT, Room

if TYPE_CHECKING:
    from nbxunit.host.kernels.forking import Forking
    from nbxunit.host.running.pools import Pool


class NotebookSession:
    """One pytest session with notebooks in it.

    `cache` knows what the host's cache tells kernels, `warned` which warnings were told, `room` how much
    all reports may hold. `notebooks` is how many it has, as far as a pool wants to know: one, while they are
    collected. `pool` is there once a notebook has been submitted, and `stack` closes at the end of the
    session. What was learned on the way is told at the end: tests that were `not_found`, notebooks that are
    `empty`, the number that `skips`, and that of files `without_tests`; `remarks` are lines, with the notebooks
    that they are about; what plugins in kernels have `said`; the `exit_status` of one that had its own.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        self.cache = CacheSelection(config)
        self.stack = contextlib.ExitStack()
        workers = getattr(config, "workerinput", {}).get("workercount", 1)
        self.durations = Durations(config)
        self.warned = Warned()
        self.room = Room(RUN_LIMIT // workers)  # xdist's controller keeps the reports of all
        self.forking: Forking | None = None
        self.pool: Pool | None = None
        self.notebooks = 1
        self.not_found: list[str] = []
        self.empty: list[str] = []
        self.skips = 0
        self.without_tests = 0
        self.remarks: dict[str, dict[str, None]] = {}
        self.variants = settings.variants(config)
        self.checking = settings.checking(config)
        self.updated: list[str] = []
        self.workers = Workers(config)
        self.said: dict[str, str] = {}
        self.exit_status: int | None = None
        self.changed = Changed.asked_for(config)
        self.signals = Signals(self._abort)
        self._asked: dict[Path, Asked] = {}
        self._skipped: dict[Path, str | None] = {}
        if not self.is_worker:  # xdist's controller ends its workers
            self.signals.install()
        settings.check(config)
        cluster.check(config)

    def _abort(self) -> None:
        if self.pool is not None:
            self.pool.abort()

    def remark(self, notebook: str, text: str) -> None:
        """Say `text` of a notebook in the summary; of several, once."""
        self.remarks.setdefault(protocol.clean(text), {})[notebook] = None

    def split_arguments(self) -> None:
        """Keep what stands behind `::` for the kernels: a notebook has no nodes on the host."""
        self.config.args, self._asked = split_arguments(self.config)

    def selected(self, path: Path, variant: str) -> tuple[str, ...] | None:
        """The tests of a notebook that were asked for by name; none where all were.

        None where other variants of it were asked for, and not this one.
        """
        asked = [inner for of, inner in self._asked.get(path, [("", "")]) if of in ("", variant)]
        if not asked:
            return None
        return () if "" in asked else tuple(asked)

    def start_server(self) -> None:
        """Let the fork server come up, if there is to be one and it is not there yet."""
        if cluster.asked_for(self.config):
            return
        if self.forking is None and (forking := settings.forking(self.config)) is not None:
            self.forking = forking
            self.stack.callback(forking.server.drop)  # also where no notebook comes to run

    def why_skipped(self, notebook: Any) -> str | None:
        """Why a notebook that was found in a folder cannot be run, if it cannot."""
        if notebook.path not in self._skipped:
            self._skipped[notebook.path] = self._why_skipped(notebook)
        return self._skipped[notebook.path]

    def _why_skipped(self, notebook: Any) -> str | None:
        if notebook.named or self.config.getoption("nbxunit_kernel"):
            return None
        try:
            origin = static_look.peek(notebook.path)
        except files.NotebookError:
            return None  # the run reports it
        if origin.is_python:
            return None
        return f"its language is {origin.language}; nbxunit runs Python notebooks"


def is_over(session: pytest.Session) -> bool:
    """Whether pytest has decided to end the session."""
    return bool(session.shouldstop or session.shouldfail)
