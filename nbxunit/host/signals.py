"""Ctrl-C, SIGTERM and SIGHUP: the run ends in order, soon, and with the status of the signal.

Imports the standard library only. Handlers are put in place where nobody else has set any.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Ended(KeyboardInterrupt):
    """A signal asks the process to end: pytest ends its session as at Ctrl-C."""


class Signals:
    """The handlers of one session, and the signal that ended it.

    The first signal raises KeyboardInterrupt in the main thread. While the session `is_ending`, the
    next one calls `abort` and raises nothing, so that reports and files are still completed; the
    one after that ends the process as it stands.
    """

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._before: dict[signal.Signals, Any] = {}
        self._terminal = os.fstat(1).st_rdev if _is_terminal() else None
        self._aborted = False
        self.received: signal.Signals | None = None
        self.is_ending = False

    @property
    def exit_status(self) -> int | None:
        """The status of a process that a signal ends; None for Ctrl-C, where it is pytest's."""
        if self.received is None or self.received == signal.SIGINT:
            return None
        return 128 + self.received

    @property
    def name(self) -> str:
        """The name of the signal; empty if there was none."""
        return "" if self.received is None else self.received.name

    def install(self) -> Self:
        """Handle the signals that have their default handlers; outside the main thread, none."""
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in _SIGNALS:  # nohup lets SIGHUP be ignored, and so it stays
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def restore(self) -> None:
        """Put the handlers back."""
        while self._before:
            signal.signal(*self._before.popitem())

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._terminal is not None and not _is_terminal():
            _drop_output(self._terminal)
            self._terminal = None
        is_first = self.received is None
        self.received = self.received or signal.Signals(number)
        if self._aborted:
            os._exit(128 + number)
        if not is_first or self.is_ending:
            self._aborted = self.is_ending
            self._abort()
        if not self.is_ending:
            raise Ended(self.received.name)


def _is_terminal() -> bool:
    return os.isatty(1)


def _drop_output(terminal: int) -> None:
    """Let what is written to a terminal that is gone go nowhere, instead of being an error.

    `terminal` is its device. pytest's capture has it under another number than 1 and 2.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers are wanted
        with contextlib.suppress(OSError):
            status = os.fstat(int(name))
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == terminal:
                os.dup2(null, int(name))
    os.close(null)
