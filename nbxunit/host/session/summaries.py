"""What plugins in kernels say at the end of their sessions, told once, by notebook.

May import pytest. What the same plugins say on the host is not told again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from nbxunit.host import compat
from nbxunit.host.session.state import NotebookSession

_RULE = re.compile(r"^([=\-_*!#~+])\1{2,}")
"""How a line begins that heads a section."""
_KEY = "nbxunit_said"


class Summaries:
    """The plugin that writes them into the terminal's summary."""

    def __init__(self, state: NotebookSession) -> None:
        self._state = state

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """On xdist's controller: take what a worker was told."""
        said = getattr(node, "workeroutput", {}).get(_KEY)
        if isinstance(said, dict):
            self._state.said.update(said)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """On xdist's workers: leave it for the controller."""
        if self._state.is_worker and self._state.said:
            self._state.config.workeroutput[_KEY] = self._state.said  # type: ignore[attr-defined]

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Any:
        """Behind what plugins say here, what they said in kernels."""
        with compat.heard(terminalreporter) as heard:
            outcome = yield
        known = set(map(_bare, "".join(heard).splitlines()))
        for notebook, text in self._state.said.items():
            parts = [part for part in _parts(text) if _says(part, known)]
            if parts:
                terminalreporter.section(notebook)
                terminalreporter.write_line("".join(parts).strip("\n"))
        return outcome


def _parts(text: str) -> Iterator[str]:
    """The sections of a text, each with its head."""
    part: list[str] = []
    for line in text.splitlines(keepends=True):
        if _RULE.match(line) and any(not _RULE.match(each) for each in part):
            yield "".join(part)
            part = []
        part.append(line)
    yield "".join(part)


def _says(part: str, known: set[str]) -> bool:
    """Whether a section has a line that is not `known`."""
    return not known.issuperset(filter(None, map(_bare, part.splitlines())))


def _bare(line: str) -> str:
    return line.strip(" =-_*!#~+")
