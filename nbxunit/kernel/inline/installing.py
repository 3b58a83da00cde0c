"""The magics on a shell: registered with what Tab offers behind them, and taken away again.

May import IPython.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

from nbxunit.kernel.inline import completion
from nbxunit.kernel.inline.magics import XunitMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbxunit.kernel.inline.live import LiveNotebook

_CELL_MAGICS = ("xunit_setup", "xunit_teardown", "xunit_test")
_COMPLETED = ("%%xunit_setup", "%%xunit_teardown", "%%xunit_test", "%xunit_run", "%xunit_open", "%xunit_config")  # fmt: skip  # noqa: E501

_COMMENT = r"#[ \t]*xunit:"


def install(shell: InteractiveShell, live: LiveNotebook) -> XunitMagics:
    """Register the magics on `shell`, and what Tab offers behind them."""
    magics = XunitMagics(shell, live)
    shell.register_magics(magics)
    for magic in _COMPLETED:
        shell.set_hook("complete_command", completion.completer(live, magic), str_key=magic)
    shell.set_hook("complete_command", completion.comment_completer(live), re_key=_COMMENT)
    for name in _CELL_MAGICS:
        cast("Any", shell).register_magic_function(_misplaced(name), "line", f"%{name}")
    return magics


def _misplaced(name: str) -> Callable[[str], None]:
    """What IPython calls for a line `%%name` further down in a cell."""

    def refuse(_: str) -> None:
        raise UsageError(
            f"%%{name} must be the first line of its cell; only blank lines may be above"
        )

    return refuse


def uninstall(shell: InteractiveShell) -> None:
    """Take the magics of `shell` away again."""
    for kind in ("line", "cell"):
        registered = cast("dict[str, Any]", shell.magics_manager.magics[kind])
        for name in [name for name in registered if name.lstrip("%").startswith("xunit_")]:
            del registered[name]
    for magic in _COMPLETED:
        shell.strdispatchers["complete_command"].strs.pop(magic, None)
    shell.strdispatchers["complete_command"].regexs.pop(re.compile(_COMMENT), None)
