"""Code of a notebook that asks its kernel to end: while tests run, it raises SystemExit.

May import IPython. IPython's `exit` raises nothing: the code goes on, and the kernel ends later, behind
tests that seemed to pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from IPython.core.autocall import ExitAutocall


@contextlib.contextmanager
def raising(shell: Any) -> Iterator[None]:
    """Within, each way to ask the shell or its kernel to end raises SystemExit, as Python's exit does.

    A coroutine that stops the loop under itself ends the kernel, which a host sees.
    """
    replaced = {
        name: shell.user_ns[name]
        for name in ("exit", "quit")
        if isinstance(shell.user_ns.get(name), ExitAutocall)
    }
    shell.user_ns.update(dict.fromkeys(replaced, sys.exit))
    shell.ask_exit = _end
    shell.observe(_ended, "exit_now")
    try:
        with _loop_kept(shell):
            yield
    finally:
        shell.unobserve(_ended, "exit_now")
        vars(shell).pop("ask_exit", None)
        for name, value in replaced.items():
            if shell.user_ns.get(name) is sys.exit:
                shell.user_ns[name] = value


@contextlib.contextmanager
def _loop_kept(shell: Any) -> Iterator[None]:
    """Within, synchronous code cannot stop the kernel's loop, which would only be seen behind the run."""
    loop = getattr(getattr(getattr(shell, "kernel", None), "io_loop", None), "asyncio_loop", None)
    if loop is None:
        yield
        return
    stop = loop.stop

    def stop_or_raise() -> None:
        __tracebackhide__ = True
        if not _is_in_loop():
            _end()
        stop()

    loop.stop = stop_or_raise
    try:
        yield
    finally:
        loop.stop = stop


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _end() -> None:
    __tracebackhide__ = True
    raise SystemExit("the kernel was asked to end")


def _ended(change: Mapping[str, Any]) -> None:
    """Someone has said that the kernel is to end. A host says so in a thread of its own."""
    __tracebackhide__ = True
    if change["new"] and threading.current_thread() is threading.main_thread():
        _end()


def tell(shell: Any) -> None:
    """Let the reply to the cell that runs say that it has asked the kernel to end, if it has.

    The shell's own `exit` says so itself.
    """
    if shell.exit_now:
        shell.payload_manager.write_payload({"source": "ask_exit", "keepkernel": False})
