"""What a run changes in the process of its kernel is put back behind it.

Imports the standard library.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Whatever a run changes in this process is put back: paths, filters, handlers, conftests."""
    path, meta_path, hook = sys.path[:], sys.meta_path[:], sys.excepthook
    breakpoint_hook, root, modules = sys.breakpointhook, logging.getLogger(), set(sys.modules)
    handlers, level = root.handlers[:], root.level
    # A live notebook's folder may take no __pycache__, as in a repository on Databricks.
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    environment = {name: os.environ.get(name) for name in ("PYTEST_VERSION", "PYTEST_CURRENT_TEST")}
    with warnings.catch_warnings():
        try:
            yield
        finally:
            sys.dont_write_bytecode = bytecode
            sys.path[:], sys.meta_path[:], sys.excepthook = path, meta_path, hook
            sys.breakpointhook, root.handlers[:] = breakpoint_hook, handlers
            root.setLevel(level)
            _forget_conftests(modules)
            for name, value in environment.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _forget_conftests(before: set[str]) -> None:
    """Drop the conftests that a run imported, so that the next run sees a change in them."""
    for name in set(sys.modules) - before:
        if name.rpartition(".")[2] == "conftest":
            del sys.modules[name]


@contextlib.contextmanager
def breakpoints() -> Iterator[None]:
    """Let `breakpoint()` stop in a test: ipykernel's debugger swallows it where none is attached."""
    debugpy = sys.modules.get("debugpy")
    if debugpy is None or not debugpy.is_client_connected():
        sys.breakpointhook = sys.__breakpointhook__
    yield
