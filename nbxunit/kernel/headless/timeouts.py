"""A test that takes too long fails, and the tests after it run: the host interrupts, this explains.

May import pytest. The host keeps the time, since a kernel that hangs cannot. It writes which test an
interrupt is for, or which cell that a companion executes: others are a person's, and end the run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from nbxunit import kernel_folder, originals, protocol
from nbxunit.kernel.companion.execution import Watch


@dataclasses.dataclass
class _Timed:
    """What runs, and since when; with no `limit` it may take any time."""

    name: str
    limit: float | None
    since: float = dataclasses.field(default_factory=lambda: originals.monotonic())  # noqa: PLW0108 - tests have a clock of their own
    interrupted: bool = False

    def is_over(self) -> bool:
        """Whether it has had its time."""
        return self.limit is not None and originals.monotonic() - self.since >= self.limit


class Timeouts:
    """The plugin that makes a failure of what takes longer than so many seconds: a test, or a cell in one.

    `folder` is where the host writes for what an interrupt is, and this tells that it has failed.
    """

    def __init__(self, test: float | None, cell: float | None, folder: Path) -> None:
        self._cell_limit = cell
        self._meant, self._reacted = (
            folder / kernel_folder.TIMED_OUT,
            folder / kernel_folder.REACTED,
        )
        self._test = _Timed("", test)
        self._cell: _Timed | None = None
        self._in_phase = False
        self._before: Any = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self._test.limit is not None or self._cell_limit is not None

    def pytest_configure(self) -> None:
        """Look at interrupts before they are raised; where they are ignored they stay so.

        The session has begun before the cells; this hook pytest calls also then.
        """
        self._before = signal.getsignal(signal.SIGINT)
        if callable(self._before):
            signal.signal(signal.SIGINT, self._interrupt)

    def pytest_unconfigure(self) -> None:
        """Put the handler back, if it is still there."""
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        is_meant = self._is_meant()
        if is_meant is False:
            return  # what it is for has ended meanwhile
        where = str(frame.f_globals.get("__name__")) if frame is not None else ""
        if is_meant and where.startswith("pluggy."):
            # Between two wrappers of a hook what hung has ended, and pluggy would let the exception
            # past the others, of which one is ours.
            return
        self._before(number, frame)

    def _is_meant(self) -> bool | None:
        """Whether the interrupt that has come is for what runs; None if it is not the host's.

        What it is for is then known as interrupted.
        """
        meant = None
        with contextlib.suppress(OSError):
            meant = originals.read_text(self._meant)
            originals.unlink(self._meant)
        if meant is None:
            return None
        timed = next(
            (each for each in (self._cell, self._test) if each and each.name == meant), None
        )
        if timed is None or not self._in_phase or not timed.is_over():
            return False
        timed.interrupted = True
        return True

    # --- tests ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._test = _Timed(protocol.clean(nodeid), self._test.limit)

    def _explained(self) -> Iterator[None]:
        __tracebackhide__ = True
        self._in_phase, self._test.interrupted = True, False
        result, where = None, None
        try:
            result = yield
        except KeyboardInterrupt as exc:
            # A test can put Python's handler back, which does not look whose interrupt it is.
            if not self._test.interrupted and not self._is_meant():
                raise
            where = exc.__traceback__
        finally:
            self._in_phase = False
        # Also where the code has kept an interrupt to itself, or ended by the signal before it.
        if self._test.interrupted or self._test.is_over():
            failed = pytest.fail.Exception(self._failed(self._test, "the test"))
            raise failed.with_traceback(where)
        return result

    def _failed(self, timed: _Timed, what: str) -> str:
        """Tell the host that something has failed for its time, and say so; the test has as long again."""
        self._test.since = originals.monotonic()
        with contextlib.suppress(OSError):
            originals.touch(self._reacted)  # to write it anew can wait a second for the disk
        how = " and was interrupted" if timed.interrupted else ""
        return f"{what} took longer than {timed.limit:g} s{how}"

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

    # --- cells of companions ---

    def begin_cell(self, cell: str) -> None:
        """A cell begins; its time is its own, beside that of the test."""
        self._cell = _Timed(cell, self._cell_limit)

    def end_cell(self, error: BaseException | None) -> BaseException | None:
        """A cell has ended; what it raises, which is a failure if it took too long."""
        cell = self._cell
        assert cell is not None
        if isinstance(error, KeyboardInterrupt) and not cell.interrupted:
            self._is_meant()  # a cell can put Python's handler back, too
        self._cell = None
        if not cell.interrupted and not cell.is_over():
            return error
        failed = pytest.fail.Exception(self._failed(cell, cell.name))
        return failed.with_traceback(error.__traceback__ if error is not None else None)


class CellWatch(Watch):
    """Writes into `folder` which cell a companion executes, for the host, and keeps its time."""

    def __init__(self, folder: Path, timeouts: Timeouts) -> None:
        self._file = folder / kernel_folder.COMPANION_CELL
        self._timeouts = timeouts

    def begins(self, cell: str) -> None:
        """Tell the host."""
        self._file.write_text(cell, encoding="utf-8")
        self._timeouts.begin_cell(cell)

    def ended(self, error: BaseException | None) -> BaseException | None:
        """Tell the host, and fail what took too long."""
        error = self._timeouts.end_cell(error)
        self._file.write_text("", encoding="utf-8")
        return error
