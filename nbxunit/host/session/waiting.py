"""What a person sees while nothing is reported: the cell or test that runs.

May import pytest. On a terminal it stands behind the line at once and vanishes again; elsewhere it is
a line after ten seconds.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from nbxunit.host import compat
from nbxunit.host.session import settings

PATIENCE = 10.0
"""Seconds without a word before a line says what is running, where there is no terminal."""
TICK = 0.2


class Waiting:
    """Says what a notebook is doing, when it says nothing itself."""

    def __init__(self, config: pytest.Config, notebook_id: str) -> None:
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter = reporter
        self._notebook_id = notebook_id
        self._is_live = bool(
            reporter is not None and reporter.isatty and not settings.shows_output(config)
        )
        self._since = self._said_at = time.monotonic()
        self._shown = ""

    @property
    def timeout(self) -> float:
        """Seconds to wait before `silent` is to be called."""
        return TICK

    def silent(self, doing: str) -> None:
        """Nothing was heard; `doing` is what runs."""
        if self._reporter is None:
            return
        now = time.monotonic()
        if self._is_live:
            self._show(f" [{doing.rpartition('/')[2]}, {now - self._since:.0f} s]")
        elif now - self._said_at > PATIENCE:
            self._said_at = now
            self._reporter.ensure_newline()
            self._reporter.write_line(
                f"nbxunit: {self._notebook_id}: silent for {now - self._since:.0f} s: {doing}"
            )

    def heard(self) -> None:
        """Something was reported."""
        self._show("")
        self._since = self._said_at = time.monotonic()

    def _show(self, text: str) -> None:
        if text == self._shown:
            return
        width = len(self._shown)
        erase = "\b" * width + " " * width + "\b" * width
        compat.write_in_line(self._reporter, erase + text)
        self._shown = text
