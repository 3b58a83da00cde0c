"""A test that takes too long fails, and the tests after it run: the host interrupts, this explains.

May import pytest. The host keeps the time, since a kernel that hangs cannot; here its interrupt is
told from a person's, which ends the run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


class Timeouts:
    """The plugin that makes a failure of an interrupt that comes after `limit` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._since = time.monotonic()

    def _explained(self) -> Iterator[None]:
        __tracebackhide__ = True
        try:
            return (yield)
        except KeyboardInterrupt:
            if time.monotonic() - self._since < self._limit:
                raise
            self._since = time.monotonic()  # what is left of the test has as long again
            pytest.fail(f"the test took longer than {self._limit:g} s and was interrupted")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        """Explain an interrupt of the setup."""
        __tracebackhide__ = True
        return (yield from self._explained())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Explain an interrupt of the test."""
        __tracebackhide__ = True
        return (yield from self._explained())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        """Explain an interrupt of the teardown."""
        __tracebackhide__ = True
        return (yield from self._explained())
