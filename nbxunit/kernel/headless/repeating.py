"""Reports as events: one that passed like the one before is told by what differs.

May import pytest. There may be many thousands of tests and subtests, and most of them pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbxunit import protocol
from nbxunit.kernel.compat import subtests

if TYPE_CHECKING:
    import pytest

    from nbxunit.kernel.run.reports import Serialiser


class Reports:
    """Makes events of the reports of one run."""

    def __init__(self, serialiser: Serialiser, config: pytest.Config) -> None:
        self._serialiser = serialiser
        self._config = config
        self._last: dict[str, Any] | None = None

    def begin(self) -> None:
        """A test begins: none of its reports is like one of the test before."""
        self._last = None

    def event(self, report: pytest.TestReport) -> protocol.Reported | protocol.Repeated:
        """The event that tells `report`, behind those of the reports before."""
        is_plain = report.passed and subtests.is_plain(report)
        if is_plain and self._last is not None:
            changes = subtests.changes(report, self._last)
            if changes is not None:
                return protocol.Repeated((self._serialiser.bounded(changes),))
        event = protocol.Reported(self._serialiser.report(report))
        is_alone = is_plain and subtests.is_serialised_alone(self._config)
        self._last = dict(vars(report)) if is_alone else None
        return event
