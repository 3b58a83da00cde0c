"""What reports of notebooks need on the host: their words, their way from xdist's workers, their files.

May import pytest. The plugin that `plugin` registers beside the session.
"""

from __future__ import annotations

from typing import Any

import pytest

from nbxunit.host import compat
from nbxunit.host.session.annotations import is_of_kernel
from nbxunit.limits import shortened

LONG = 20_000
"""Bytes of a captured section from which on a terminal shows its ends only, as it does without `-vv`."""
ENDS = 4_000
"""Bytes of these."""


class Reporting:
    """The plugin of one pytest run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._unwritten = ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Let the terminal show the ends of what was printed without end; files have all that was kept."""
        if self._config.getoption("verbose", 0) < 2:  # noqa: PLR2004 - `-vv`
            compat.show_sections(self._config, _ends)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Any:
        """Let xdist's controller read a report of a notebook as one of a test."""
        return compat.as_test_report((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self) -> Any:
        """Let reports from kernels, and from xdist's workers, name places in cells."""
        report = yield
        if report is not None:
            compat.name_cells(report)
            compat.name_notebook(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """A test whose kernel died is an error: it did not come to fail."""
        return ("error", "E", "ERROR") if getattr(report, "nbxunit_died", False) else None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """Note that a reporter cannot write its file, and go on to the terminal's summary.

        pytest would end with a traceback, and tell no results. The exit status is that of an internal error.
        """
        try:
            return (yield)
        except OSError as exc:
            self._unwritten = f"a report could not be written: {exc}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what could not be written."""
        if self._unwritten:
            terminalreporter.write_line(self._unwritten, red=True)


def _ends(report: Any, text: str) -> str:
    """What a terminal shows of a captured section of `report`."""
    return shortened(text, ENDS) if len(text) > LONG and is_of_kernel(report) else text
