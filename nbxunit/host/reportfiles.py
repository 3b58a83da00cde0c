"""Files that other plugins write at the end, such as JUnit's: where that fails, the summary still comes.

May import pytest, which otherwise ends with a traceback, and tells no results.
"""

from __future__ import annotations

from typing import Any

import pytest


class ReportFiles:
    """The plugin that says what could not be written; the exit status is that of an internal error."""

    def __init__(self) -> None:
        self._wrong = ""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """Note what reporters raise, inside the terminal's own hook, which goes on to its summary."""
        try:
            return (yield)
        except OSError as exc:
            self._wrong = f"a report could not be written: {exc}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say it."""
        if self._wrong:
            terminalreporter.write_line(self._wrong, red=True)
