"""Ctrl-C, SIGTERM, SIGHUP, lost output: the run ends in order, soon, and with the status of the signal.

Imports the standard library only. Handlers are put in place where nobody else has set any.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Self, TextIO

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Ended(KeyboardInterrupt):
    """A signal asks the process to end: pytest ends its session as at Ctrl-C."""


class Signals:
    """The handlers of one session, and the signal that ended it.

    The first signal raises KeyboardInterrupt in the main thread. While the session `is_ending`, the
    next one calls `abort` and raises nothing, so that reports and files are still completed; the
    one after that ends the process as it stands. Standard output that nobody reads any more is as
    SIGHUP of a terminal, and as SIGPIPE of a pipe; neither is ever the second signal, since a
    terminal that is closed mostly sends SIGHUP more than once.
    """

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._before: dict[signal.Signals, Any] = {}
        self._output: int | None = None
        self._aborted = False
        self._has_begun = self._is_held = self._is_due = False
        self.received: signal.Signals | None = None
        self.is_ending = False
        self.is_full = False

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
        with contextlib.suppress(OSError):  # it may be closed
            self._output = os.dup(1)  # pytest's capture puts a file at 1
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
        if self._output is not None:
            os.close(self._output)
            self._output = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within, the first signal waits for the end, so that a report reaches all plugins or none."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
        self._raise_if_due()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, a write that fails since nobody reads the output any more ends the run."""
        try:
            yield
        except OSError as exc:
            self._end_if_gone(exc)

    def begin(self) -> None:
        """The session has begun: an interrupt before would end it without files and summary."""
        self._has_begun = True
        self._is_held = False
        self._raise_if_due()

    def lost(self, exc: OSError) -> None:
        """A write to the output has failed: end the run if nobody reads it any more.

        Go on without it where its disk is full, since there are other reports. Else raise `exc` again.
        """
        if exc.errno not in _FULL:
            self._end_if_gone(exc)
        elif not self.is_full:
            self.is_full = True
            with contextlib.suppress(OSError):  # the same disk, perhaps
                os.write(2, f"nbxunit: the output cannot be written: {exc}\n".encode())

    def _end_if_gone(self, exc: OSError) -> None:
        if self._output is None or not _is_gone(self._output):
            raise exc
        self._is_held |= not self._has_begun
        is_pipe = not stat.S_ISCHR(os.fstat(self._output).st_mode)
        self._handle(signal.SIGPIPE if is_pipe else signal.SIGHUP, None)

    def _raise_if_due(self) -> None:
        if self._is_due:
            self._is_due = False
            raise Ended(self.name)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._output is not None and _is_gone(self._output):
            _drop_output(self._output)
        is_first = self.received is None
        if not is_first and number not in (signal.SIGINT, signal.SIGTERM):
            return
        self.received = self.received or signal.Signals(number)
        if self._aborted:
            os._exit(128 + number)
        if not is_first or self.is_ending:
            self._aborted = self.is_ending
            self._abort()
        if self._is_held and is_first:
            self._is_due = True
        elif not self.is_ending:
            raise Ended(self.received.name)


class Lasting:
    """A text file that tells `lost` where a write fails; if that returns, what was written is dropped."""

    def __init__(self, file: TextIO, lost: Callable[[OSError], None]) -> None:
        self._file = file
        self._lost = lost

    def write(self, text: str) -> int:
        """Write `text`, and return its length."""
        try:
            return self._file.write(text)
        except OSError as exc:
            self._lost(exc)
            return len(text)

    def flush(self) -> None:
        """Let what was written reach its reader."""
        try:
            self._file.flush()
        except OSError as exc:
            self._lost(exc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _is_gone(output: int) -> bool:
    """Whether the terminal is closed, or the reader of the pipe has ended. Only POSIX tells."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(output, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _drop_output(output: int) -> None:
    """Let what is written to `output`, under any number, go nowhere, instead of being an error."""
    null = os.open(os.devnull, os.O_WRONLY)
    gone = os.fstat(output)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers are wanted
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(int(name)), gone):
                os.dup2(null, int(name))
    os.close(null)
