"""What a kernel is doing, for a host that finds it hanging: stacks of threads, pending tasks.

Imports the standard library and `compat.files`. A host sends SIGUSR2. Where Python code runs, or waits for the
system, a handler writes `stacks` with cells by their names; where C code does not come back,
faulthandler still writes `raw-stacks`.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from nbxunit.kernel.compat import files

MACHINERY = frozenset(
    {
        "IPython", "_pytest", "asyncio", "concurrent", "ipykernel", "nbxunit", "pluggy", "pytest",
        "runpy", "threading", "tornado", "traitlets", "zmq", "debugpy", "_pydevd_bundle", "selectors",
    }
)  # fmt: skip
"""Packages that call the notebook's code, and whose frames say nothing of it."""


def tell_on_signal(
    folder: Path, place: Callable[[str], str], awaited: Callable[[], Iterable[object]]
) -> None:
    """Write what this process does into `folder` whenever SIGUSR2 comes; main thread only.

    `place` gives a cell's name for the name of its file, `awaited` what synchronous code waits
    for. A SIGUSR2 of the notebook's own is its own.
    """
    if not hasattr(signal, "SIGUSR2"):
        return
    loop = asyncio.get_running_loop()

    def tell(_number: int, frame: FrameType | None) -> None:
        waiting = [line for each in awaited() for line in _foreign(_awaited(each), place)]
        lines = [
            *_threads(frame, place),
            *(["awaiting, innermost last:", *waiting] if waiting else []),
        ]
        lines += _tasks(loop, place)
        beside = folder / "stacks.new"
        with contextlib.suppress(OSError):  # on a full disk, and not in the code that hangs
            beside.write_text("\n".join(lines), encoding="utf-8", errors="replace")
            beside.replace(folder / "stacks")

    signal.signal(signal.SIGUSR2, tell)
    raw = files.appended(folder / "raw-stacks")
    faulthandler.register(signal.SIGUSR2, raw, all_threads=True, chain=True)


def _threads(main: FrameType | None, place: Callable[[str], str]) -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - public, says its documentation
    this, idle = threading.get_ident(), 0
    for ident, frame in frames.items():
        top = main if ident == this else frame
        entries = list(_foreign(traceback.walk_stack(top), place))
        if not entries and ident != this:
            idle += 1
            continue
        yield f"thread {names.get(ident, ident)}, innermost last:"
        yield from reversed(entries or ["  in none of the notebook's code"])
    if idle:
        yield f"{idle} more threads, in none of the notebook's code"


def _tasks(loop: asyncio.AbstractEventLoop, place: Callable[[str], str]) -> Iterator[str]:
    for task in asyncio.all_tasks(loop):
        entries = list(_foreign(_awaited(task.get_coro()), place))
        if entries:
            yield f"task {task.get_name()}, innermost last:"
            yield from entries


def _awaited(awaitable: Any) -> Iterator[tuple[FrameType, int]]:
    """The frames of what a task waits in, outermost first."""
    while awaitable is not None:
        kinds = ("cr", "gi", "ag")
        kind = next((kind for kind in kinds if hasattr(awaitable, f"{kind}_frame")), None)
        if kind is None:
            return
        frame = getattr(awaitable, f"{kind}_frame")
        if frame is not None:
            yield frame, frame.f_lineno
        awaitable = getattr(awaitable, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")


def _foreign(frames: Iterator[tuple[FrameType, int]], place: Callable[[str], str]) -> Iterator[str]:
    for frame, line in frames:
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        where = place(code.co_filename)
        is_launcher = module == "__main__" and where == code.co_filename
        if not is_launcher and module.partition(".")[0] not in MACHINERY:
            yield f"  {where}, line {line}, in {code.co_name}"
