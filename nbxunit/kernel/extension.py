"""The only (un)registering on the shell: magics, events, transformers.

May import IPython. `load` is idempotent, since a headless runner loads before the notebook does.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from nbxunit.errors import TestsFailed
from nbxunit.kernel.cells import compared, hints, refusals, rewriting, transforming, values
from nbxunit.kernel.cells.notebook import Notebook
from nbxunit.kernel.compat import ipython, timed_magics
from nbxunit.kernel.inline import installing
from nbxunit.kernel.inline.live import LiveNotebook
from nbxunit.kernel.results import output

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell


class _Loaded:
    """What has been registered on one shell."""

    def __init__(self, shell: InteractiveShell, live: LiveNotebook) -> None:
        self.live = live
        self.notebook = live.notebook
        self._transformer = rewriting.CellTransformer(live.notebook, live.defined)
        installing.install(shell, live)
        shell.events.register("pre_run_cell", self.notebook.begin_cell)
        shell.events.register("post_run_cell", self._end_cell)
        # No ast.NodeTransformer: it looks at whole cells, and the shell only calls `visit`.
        cast("list[Any]", shell.ast_transformers).append(self._transformer)
        timed_magics.place(shell, self.notebook.place_timed, self._compiled)
        shell.input_transformers_cleanup.append(transforming.comments_as_magics)
        shell.input_transformers_post.append(self._await_runs)
        # Not by `set_custom_exc`: there is one place for all handlers, and Colab has its own.
        self._show_syntax_error: Callable[..., None] = shell.showsyntaxerror
        vars(shell)["showsyntaxerror"] = self._show_refusal

    def _compiled(
        self, tree: object, filename: str, make: Callable[[], types.CodeType]
    ) -> types.CodeType:
        return self.notebook.kept_code.compiled(tree, filename, make)

    def _show_refusal(self, *args: Any, **more: Any) -> None:
        """Show where in a refused cell the error is, and not how we came to find it."""
        if isinstance(sys.exc_info()[1], refusals.Refused):
            self._show_syntax_error()
        else:
            self._show_syntax_error(*args, **more)

    def _await_runs(self, lines: list[str]) -> list[str]:
        """Let cells await the magics that run tests; code that a magic such as %%time has
        transformed while a cell runs is compiled by that magic, which may not allow it.
        """  # noqa: D205
        return (
            lines if ipython.is_in_cell(self.notebook.namespace) else transforming.await_runs(lines)
        )

    def _end_cell(self, result: ExecutionResult | None) -> None:
        """After a cell: what to try if it has failed, where a cell tells."""
        self.notebook.end_cell(result.info if result is not None else None)
        exc = result.error_in_exec if result is not None else None
        if result is not None and result.success and not self.notebook.is_busy:
            self.live.note_tests()
        if isinstance(exc, TestsFailed) and self.live.run.failure is not None:
            ipython.debug_next(self.notebook.shell, self.live.run.failure)
        explanation = values.explain(self.notebook, exc)
        found = compared.difference(self.notebook, exc) if exc is not None else None
        if exc is not None and found is not None:
            explanation = f"{explanation or ''}\n{found.text}".lstrip()
            exc.args = (f"{exc}\n{found.text}",)
        hint = hints.hint(self.notebook, exc) if exc is not None else None
        notes = [*self.live.take_notes(), *([hint] if hint else [])]
        if not self.notebook.headless:
            if explanation:
                output.show_text(explanation)
            output.say_notes(notes)
        elif notes:
            print(*notes, sep="\n")  # noqa: T201 - with what the cell has printed, for the report

    def unload(self, shell: InteractiveShell) -> None:
        """Take everything back."""
        vars(shell).pop("showsyntaxerror", None)
        installing.uninstall(shell)
        shell.events.unregister("pre_run_cell", self.notebook.begin_cell)
        shell.events.unregister("post_run_cell", self._end_cell)
        cast("list[Any]", shell.ast_transformers).remove(self._transformer)
        timed_magics.unplace(shell)
        shell.input_transformers_cleanup.remove(transforming.comments_as_magics)
        shell.input_transformers_post.remove(self._await_runs)


_loaded: weakref.WeakKeyDictionary[InteractiveShell, _Loaded] = weakref.WeakKeyDictionary()
_lives: weakref.WeakKeyDictionary[InteractiveShell, LiveNotebook] = weakref.WeakKeyDictionary()
"""They outlive `%unload_ext`: `%reload_ext` must lose neither a notebook's tests nor its runner."""


def load(shell: InteractiveShell) -> LiveNotebook:
    """Register everything on `shell`, once; its notebook."""
    if shell not in _loaded:
        if shell not in _lives:
            _lives[shell] = LiveNotebook(Notebook(shell))
        _loaded[shell] = _Loaded(shell, _lives[shell])
    return _loaded[shell].live


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` registered on `shell`."""
    loaded = _loaded.pop(shell, None)
    if loaded is not None:
        loaded.unload(shell)
