"""The namespace of an executed notebook: `__main__` while its fixture is set up.

May import IPython. Where scopes nest, the innermost is `__main__`.
"""

from __future__ import annotations

import sys
import types
from typing import Any

_open: list[Namespace] = []


class Namespace:
    """A fresh `__main__`, with IPython's own names in it, and an `In` and `Out` of its own."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.module = types.ModuleType("__main__")
        self.module.__dict__["__builtin__"] = sys.modules["builtins"]
        self._before = shell.user_module, shell.user_ns, sys.modules.get("__main__")
        self._history = _History(shell)

    @property
    def names(self) -> dict[str, Any]:
        """The names of the notebook."""
        return self.module.__dict__

    def open(self) -> None:
        """Be `__main__` from now on."""
        _open.append(self)
        self._history.begin()
        self._use(self.module, self.module.__dict__, self.module)
        self._shell.init_user_ns()

    def close(self) -> None:
        """Give `__main__` back, in whatever order scopes are closed."""
        is_innermost = _open[-1] is self
        if not is_innermost:
            inner = _open[_open.index(self) + 1]
            inner._before, inner._history = self._before, self._history  # noqa: SLF001
        _open.remove(self)
        if is_innermost:
            self._use(*self._before)
            self._history.end()

    def _use(self, module: types.ModuleType, names: dict[str, Any], main: Any) -> None:
        self._shell.user_module, self._shell.user_ns = module, names
        sys.modules["__main__"] = main


class _History:
    """The inputs and outputs of the shell, put aside and put back."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        manager = shell.history_manager
        self._lists = [] if manager is None else [manager.input_hist_parsed, manager.input_hist_raw]
        self._outputs = {} if manager is None else manager.output_hist

    def begin(self) -> None:
        self._kept = [list(each) for each in self._lists]
        self._kept_outputs = dict(self._outputs)
        self._count = self._shell.execution_count
        for each in self._lists:
            each[:] = [""]
        self._outputs.clear()
        self._shell.execution_count = 1

    def end(self) -> None:
        for each, kept in zip(self._lists, self._kept, strict=True):
            each[:] = kept
        self._outputs.clear()
        self._outputs.update(self._kept_outputs)
        self._shell.execution_count = self._count
