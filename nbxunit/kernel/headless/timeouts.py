"""A test that takes too long fails, and the tests after it run: the host interrupts, this explains.

May import pytest. The host keeps the time, since a kernel that hangs cannot. It writes which test an
interrupt is for: others are a person's, and end the run.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from nbxunit import kernel_folder, originals, protocol


class Timeouts:
    """The plugin that makes a failure of what takes longer than `limit` seconds.

    `folder` is where the host writes for which test an interrupt is, and this tells that one has failed.
    """

    def __init__(self, limit: float, folder: Path) -> None:
        self._limit = limit
        self._meant, self._reacted = (
            folder / kernel_folder.TIMED_OUT,
            folder / kernel_folder.REACTED,
        )
        self._since = originals.monotonic()
        self._running = ""
        self._in_phase = self._interrupted = False
        self._before: Any = None

    def pytest_sessionstart(self) -> None:
        """Look at interrupts before they are raised; where they are ignored they stay so."""
        self._before = signal.getsignal(signal.SIGINT)
        if callable(self._before):
            signal.signal(signal.SIGINT, self._interrupt)

    def pytest_unconfigure(self) -> None:
        """Put the handler back, if it is still there."""
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        is_meant = self._is_meant()
        if is_meant is False:
            return  # what it is for has ended meanwhile
        if is_meant:
            self._interrupted = True
            # Between two wrappers of a hook what hung has ended, and pluggy would let the exception
            # past the others, of which one is ours.
            if frame is not None and str(frame.f_globals.get("__name__")).startswith("pluggy."):
                return
        self._before(number, frame)

    def _is_meant(self) -> bool | None:
        """Whether the interrupt that has come is for what runs; None if it is not the host's."""
        meant = None
        with contextlib.suppress(OSError):
            meant = originals.read_text(self._meant)
            originals.unlink(self._meant)
        if meant is None:
            return None
        return meant == self._running and self._in_phase and self._is_over()

    def _is_over(self) -> bool:
        """Whether what runs has had its time."""
        return originals.monotonic() - self._since >= self._limit

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._running = protocol.clean(nodeid)
        self._since = originals.monotonic()

    def _explained(self) -> Iterator[None]:
        __tracebackhide__ = True
        self._in_phase, self._interrupted = True, False
        result = None
        try:
            result = yield
        except KeyboardInterrupt:
            # A test can put Python's handler back, which does not look whose interrupt it is.
            if not self._interrupted and not self._is_meant():
                raise
            self._interrupted = True
        finally:
            self._in_phase = False
        # Also where the code has kept an interrupt to itself, or ended by the signal before it.
        if self._interrupted or self._is_over():
            self._since = originals.monotonic()  # what is left of the test has as long again
            with contextlib.suppress(OSError):
                originals.touch(self._reacted)  # to write it anew can wait a second for the disk
            how = " and was interrupted" if self._interrupted else ""
            pytest.fail(f"the test took longer than {self._limit:g} s{how}")
        return result

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
