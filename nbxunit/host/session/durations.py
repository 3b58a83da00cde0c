"""The seconds that each file took: learned, kept in pytest's cache, listed by `--durations`.

May import pytest. Of a notebook it is the time from its first cell to its last teardown, of a module the sum of
its tests'.
"""

from __future__ import annotations

from typing import Any

import pytest

KEY = "nbxunit/seconds"
"""The name in pytest's cache."""


class Durations:
    """The plugin that learns. `known` are the seconds of earlier runs, by the node ids of files."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._of_tests: dict[str, float] = {}
        self._of_runs: dict[str, float] = {}
        cache = getattr(config, "cache", None)
        told = cache.get(KEY, {}) if cache is not None else {}
        self.known = {
            str(file): float(seconds)
            for file, seconds in (told.items() if isinstance(told, dict) else ())
            if isinstance(seconds, int | float)
        }

    def took(self, file: str, seconds: float) -> None:
        """A notebook has run; that is more than its tests took."""
        self._of_runs[file] = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        file = report.nodeid.partition("::")[0]
        self._of_tests[file] = self._of_tests.get(file, 0.0) + report.duration

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Keep what was learned; a worker of xdist leaves that to its controller."""
        cache = getattr(self._config, "cache", None)
        learned = {**self._of_tests, **self._of_runs}
        if cache is None or hasattr(self._config, "workerinput") or not learned:
            return
        kept = {**self.known, **{file: round(seconds, 3) for file, seconds in learned.items()}}
        cache.set(KEY, kept)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Behind pytest's list of the slowest phases, the slowest notebooks."""
        count = self._config.getoption("durations", default=None)
        if count is None or len(self._of_runs) < 2:  # noqa: PLR2004 - one needs no list
            return
        slowest = sorted(self._of_runs.items(), key=lambda pair: -pair[1])[: count or None]
        terminalreporter.write_sep("=", f"slowest {len(slowest)} notebooks")
        for file, seconds in slowest:
            terminalreporter.write_line(f"{seconds:.2f}s notebook {file}")
