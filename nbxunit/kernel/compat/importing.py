"""How pytest surrounds the import of a module: with its warning filters and its handlers of logs.

May import pytest. Both are hooks of plugins of pytest's own, which has no public name for them; a test of each
is in `tests/kernel/compat/test_compat.py`.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class Importing:
    """Surrounds cells, one by one, as pytest surrounds the import of modules.

    Filters that a cell sets hold for the cells behind it. `began` runs what begins a session; context
    variables that it sets hold in cells and tests, which run in contexts of their own.
    """

    def __init__(self, config: pytest.Config, began: Callable[[], None]) -> None:
        self._config = config
        self._filters: list[Any] | None = None
        before = contextvars.copy_context()
        began()
        now = contextvars.copy_context()
        self._variables = {
            variable: value
            for variable, value in now.items()
            if variable not in before or before[variable] is not value
        }

    def set_variables(self) -> None:
        """Let the context variables of the session's begin hold in this context."""
        for variable, value in self._variables.items():
            variable.set(value)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Within, a cell runs."""
        self.set_variables()
        with contextlib.ExitStack() as stack:
            for name in ("warnings", "logging-plugin"):
                plugin = self._config.pluginmanager.get_plugin(name)
                if plugin is not None:
                    stack.enter_context(self._collecting(plugin.pytest_collection))
            if self._filters is not None:
                warnings.filters[:] = self._filters  # type: ignore[index]
            # IPython compiles a cell under the name <> before, to look for `await`.
            warnings.filterwarnings("ignore", module="<>$")
            warnings.filterwarnings("ignore", "assertion is always true", SyntaxWarning)  # a doubt
            try:
                yield
            finally:
                self._filters = list(warnings.filters)

    def _collecting(self, hook: Any) -> contextlib.AbstractContextManager[object]:
        wants = inspect.signature(hook).parameters
        given = {"session": self, "config": self._config}  # of the session it only asks the config
        return contextlib.contextmanager(hook)(**{name: given[name] for name in wants})

    @property
    def config(self) -> pytest.Config:
        """For pytest's hooks, which take this for a session."""
        return self._config
