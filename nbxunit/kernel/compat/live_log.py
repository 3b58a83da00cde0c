"""pytest's live log (`log_cli`), whose handler writes to a terminal that nobody sees in a kernel.

May import pytest. The handler has no public name; the test is in `tests/ci/test_crossing.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class LiveLog:
    """Stands in for the terminal to which pytest's live log (`log_cli`) writes; `write` takes the text."""

    def __init__(self, config: pytest.Config) -> None:
        self.write: Callable[[str], object] = self._keep
        self._kept: list[str] = []
        handler: Any = getattr(
            config.pluginmanager.get_plugin("logging-plugin"), "log_cli_handler", None
        )
        if hasattr(handler, "stream"):  # else there is no live log
            handler.stream = self

    def _keep(self, text: str) -> None:
        self._kept.append(text)

    def write_to(self, write: Callable[[str], object]) -> None:
        """Let `write` have the text, also what has come already."""
        self.write = write
        if self._kept:
            write("".join(self._kept))
            self._kept.clear()

    def section(self, title: str, sep: str = "=", **_: object) -> None:
        """Write a heading."""
        self.write(f" {title} ".center(80, sep) + "\n")

    def flush(self) -> None:
        """There is nothing to flush."""
