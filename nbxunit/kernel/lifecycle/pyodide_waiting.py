"""Waiting in Pyodide, which has no greenlet: `run_sync` switches the whole stack of WebAssembly.

Imports the standard library, and Pyodide where this is one. Not all browsers can do it, and none where
Python was called by JavaScript that does not wait itself.
"""

from __future__ import annotations

import importlib
import platform
from collections.abc import Awaitable
from typing import Any

IS_HERE = platform.system() == "Emscripten"
UNAVAILABLE = (
    "Awaiting from synchronous code needs a browser that switches stacks of WebAssembly (JSPI: Chrome "
    "137 and newer); await in an ordinary cell, and test what came of it"
)


def _ffi() -> Any:
    return importlib.import_module("pyodide.ffi")


def can_wait() -> bool:
    """Whether `wait` works here."""
    return IS_HERE and bool(_ffi().can_run_sync())


def wait(awaitable: Awaitable[Any]) -> Any:
    """Wait for `awaitable`, while the loop goes on; return or raise its outcome."""
    __tracebackhide__ = True
    return _ffi().run_sync(awaitable)
