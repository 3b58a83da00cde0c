"""Standard streams while tests run, and what is left of them: `input()`, handlers of logging.

May import pytest. ipykernel's `input` asks the front end, whatever a test has put in the place of
sys.stdin. A handler that was made in a test keeps a stream that pytest closes behind the run.
"""

from __future__ import annotations

import builtins
import logging
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

_captured: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()
"""The streams that pytest has made, and the names of those that they stood for."""


def reopen_handlers() -> None:
    """Let handlers of logging whose stream is closed write to the streams that are there now."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [each for logger in loggers for each in getattr(logger, "handlers", ())]
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler):
            stream = handler.stream
            if getattr(stream, "closed", False) and not isinstance(handler, logging.FileHandler):
                handler.stream = getattr(sys, _captured.get(stream, "stderr"))


class Streams:
    """The plugin that lets `input()` read a replaced sys.stdin, and knows which streams pytest has made.

    It is made before pytest captures: what stands there then comes back while a debugger asks.
    """

    def __init__(self) -> None:
        self._known: list[object] = [sys.stdin]
        self._ask: Callable[..., str] = builtins.input

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """In a kernel's run the cells are between; ipykernel has put its own `input` there since."""
        if builtins.input != self._input:
            self.pytest_sessionstart()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Pytest has put its own object there by now, which allows no reading."""
        self._known.append(sys.stdin)
        _captured.update({sys.stdout: "stdout", sys.stderr: "stderr"})
        self._ask = builtins.input
        builtins.input = self._input

    def pytest_unconfigure(self) -> None:
        """Put back what was there, unless a test has left another one."""
        if builtins.input == self._input:
            builtins.input = self._ask

    def _input(self, prompt: Any = "", /) -> str:
        __tracebackhide__ = True
        if sys.stdin is None or any(sys.stdin is each for each in self._known):
            return self._ask(prompt)
        sys.stdout.write(str(prompt))
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError("EOF when reading a line")
        return line.removesuffix("\n")
