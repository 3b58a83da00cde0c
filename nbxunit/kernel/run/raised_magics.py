"""What IPython would show and then forget: while tests run, it is raised.

Imports the standard library. `%run script.py` and callbacks of widgets show the exception of the code
that they run and go on, so that the test or hook around them would pass. What the shell's own `run_cell`
meets stands in its result, as ever.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_NAMES = ("showtraceback", "showsyntaxerror")


@contextlib.contextmanager
def raising(shell: Any) -> Iterator[None]:
    """Within, an exception that is shown by the shell while it is handled is raised instead.

    What is no longer handled is shown as ever (`%tb`), and so is what another thread shows.
    """
    own = {name: vars(shell)[name] for name in _NAMES if name in vars(shell)}
    vars(shell).update({name: _raising(getattr(shell, name)) for name in _NAMES})
    try:
        yield
    finally:
        for name in _NAMES:
            vars(shell).pop(name, None)
        vars(shell).update(own)


def _raising(show: Callable[..., None]) -> Callable[..., None]:
    def shown(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        exc = sys.exc_info()[1]
        if exc is None or threading.current_thread() is not threading.main_thread():
            show(*args, **kwargs)
        else:
            raise exc

    return shown
