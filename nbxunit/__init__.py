"""xunit tests in Jupyter notebooks: cells become setup hooks, teardown hooks and tests.

In a notebook: `%load_ext nbxunit`. In a shell: `nbxunit run notebook.ipynb`. The functions here are
for hook cells and test cells; they act on the scope of the hook or test that is running.

PYTEST_DONT_REWRITE: pytest wants to rewrite the modules of a plugin, and this one is imported first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from nbxunit.errors import TestsFailed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = [
    "TestsFailed",
    "__version__",
    "add_async_cleanup",
    "add_cleanup",
    "do_cleanups",
    "enter_async_context",
    "enter_context",
    "load_ipython_extension",
    "unload_ipython_extension",
]

__version__ = "0.1.0"

T = TypeVar("T")


def add_cleanup(function: Callable[..., object], /, *args: object, **kwargs: object) -> None:
    """Call `function` with the arguments when the scope that is running closes.

    Cleanups run last added first, after the teardown cells, also when a setup failed; one may add
    another; each runs even if others raise. The cell's form of unittest's `addModuleCleanup`,
    `addClassCleanup` and `addCleanup`. RuntimeError when no hook or test is running.
    """
    from nbxunit.kernel.lifecycle import scopes

    scopes.running().add_cleanup(function, *args, **kwargs)


def enter_context(manager: AbstractContextManager[T]) -> T:
    """Enter `manager` now, leave it as a cleanup of the scope that is running; what it yields.

    The cell's form of unittest's `enterModuleContext`, `enterClassContext` and `enterContext`.
    """
    from nbxunit.kernel.lifecycle import scopes

    return scopes.running().enter_context(manager)


def do_cleanups() -> None:
    """Run the cleanups of the scope that is running now; each is popped, so none runs twice."""
    from nbxunit.kernel.lifecycle import scopes

    scopes.running().do_cleanups()


def add_async_cleanup(
    function: Callable[..., Awaitable[object]], /, *args: object, **kwargs: object
) -> None:
    """Call `function` and await what it returns when the scope that is running closes.

    It runs in one stack with the other cleanups, on the kernel's event loop.
    """
    from nbxunit.kernel.lifecycle import scopes

    scopes.running().add_async_cleanup(function, *args, **kwargs)


async def enter_async_context(manager: AbstractAsyncContextManager[T]) -> T:
    """Enter `manager` now, leave it as a cleanup of the scope that is running; what it yields."""
    from nbxunit.kernel.lifecycle import scopes

    return await scopes.running().enter_async_context(manager)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics of nbxunit on `shell` (`%load_ext nbxunit`); a second call does nothing."""
    from nbxunit.kernel import extension

    extension.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything that nbxunit registered on `shell` away again (`%unload_ext nbxunit`)."""
    from nbxunit.kernel import extension

    extension.unload(shell)
