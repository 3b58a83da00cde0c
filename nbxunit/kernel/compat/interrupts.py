"""Interrupts that wait: for code that must not be cut in two.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from signal import SIGINT, getsignal, signal  # user code may replace them in their module
from types import FrameType


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Within, SIGINT waits for the end.

    Its handler is replaced, which only the main thread can do, and only there is it called. To block
    the signal would not do: the system gives it to another thread then, and Python the main thread
    its handler all the same.
    """
    before = getsignal(SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    signal(SIGINT, lambda *told: waiting.append(told))
    try:
        yield
    finally:
        signal(SIGINT, before)
        if waiting:
            before(*waiting[0])
