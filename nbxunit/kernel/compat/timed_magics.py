"""The code of cells under %%time and %%prun, which compile it themselves: whose it is, and where.

Private names of IPython. See `ipython`.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_TIMED = ("<timed exec>", "<timed eval>")
"""What %%time calls the code that it compiles, whichever cell it is of."""
_COMPILER = "_nbxunit_compiler"


_Make: TypeAlias = Callable[[], types.CodeType]


def place(
    shell: InteractiveShell,
    name: Callable[[ast.AST], str | None],
    compiled: Callable[[object, str, _Make], types.CodeType],
) -> None:
    """Let such code have the file name that `name` gives to its tree; None leaves it as it is.

    All code that the shell compiles is what `compiled` gives for its tree.
    """
    compiler: Any = type(shell.compile)

    class Compiler(compiler):  # type: ignore[misc]
        """The shell's compiler."""

        def __call__(self, source: Any, filename: str, *args: Any, **more: Any) -> Any:
            if filename in _TIMED:
                filename = name(source) or filename
            make = partial(super().__call__, source, filename, *args, **more)
            return compiled(source, filename, make)

    vars(shell.compile)[_COMPILER] = compiler
    shell.compile.__class__ = Compiler
    magics = _magics(shell)
    if magics is None:  # JupyterLite has no profiler
        return
    profile = magics._run_with_profiler  # noqa: SLF001

    def profile_placed(code: str, *args: Any, **more: Any) -> Any:
        tree = shell.transform_ast(ast.parse(code))
        filename = name(tree)
        return profile(code if filename is None else compile(tree, filename, "exec"), *args, **more)

    vars(magics)["_run_with_profiler"] = profile_placed


def _magics(shell: InteractiveShell) -> Any:
    """The object whose method the magic %%prun is."""
    return getattr(shell.magics_manager.magics["cell"].get("prun"), "__self__", None)


def unplace(shell: InteractiveShell) -> None:
    """Take back what `place` did."""
    shell.compile.__class__ = vars(shell.compile).pop(_COMPILER)
    vars(_magics(shell) or shell.compile).pop("_run_with_profiler", None)
