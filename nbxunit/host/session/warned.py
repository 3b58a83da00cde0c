"""Warnings of what the host and each kernel load: of ini files, plugins and conftests. They are told once.

May import pytest.
"""

from __future__ import annotations

import warnings

from nbxunit import protocol


class Warned:
    """The plugin that knows which of these warnings the session has told."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str, str, int]] = set()

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str
    ) -> None:
        """Note a warning about no test, from this process or from a kernel."""
        if when != "runtest" and not nodeid:
            it = warning_message
            self._told.add((str(it.message), it.category.__name__, it.filename, it.lineno))

    def has_told(self, event: protocol.Warned) -> bool:
        """Whether a kernel's warning is one that was told before: of a test or a cell none is."""
        it = (event.message, event.category, event.filename, event.lineno)
        return event.when == "config" and it in self._told
