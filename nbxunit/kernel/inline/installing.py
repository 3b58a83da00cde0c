"""The magics on a shell: registered with what Tab offers behind them, and taken away again.

May import IPython.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

from nbxunit.kernel.inline import completion
from nbxunit.kernel.inline.magics import XunitMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbxunit.kernel.inline.live import LiveNotebook

_CELL_MAGICS = ("xunit_setup", "xunit_teardown", "xunit_test")
_COMPLETED = ("%%xunit_setup", "%%xunit_teardown", "%%xunit_test", "%xunit_run", "%xunit_open", "%xunit_config")  # fmt: skip  # noqa: E501

_MATCHER = "nbxunit"
_COMMENT = r"#[ \t]*xunit:"


def install(shell: InteractiveShell, live: LiveNotebook) -> XunitMagics:
    """Register the magics on `shell`, and what Tab offers behind them."""
    magics = XunitMagics(shell, live)
    shell.register_magics(magics)
    _offer(shell, live)
    for name in _CELL_MAGICS:
        cast("Any", shell).register_magic_function(_misplaced(name), "line", f"%{name}")
    return magics


def _offer(shell: InteractiveShell, live: LiveNotebook) -> None:
    """Let Tab offer our words behind the magics, and only ours where IPython lets us say so (8.6)."""
    completers = {magic: completion.completer(live, magic) for magic in _COMPLETED}
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        for magic, complete in completers.items():
            shell.set_hook("complete_command", complete, str_key=magic)
        shell.set_hook("complete_command", completion.comment_completer(live), re_key=_COMMENT)
        return

    def match(context: Any) -> Any:
        text = context.text_until_cursor
        complete = completers.get(text.partition(" ")[0])
        if complete is None and re.match(_COMMENT, text):
            complete = completion.comment_completer(live)
        event = SimpleNamespace(text_until_cursor=text, symbol=context.token)
        found = complete(None, event) if complete is not None else []
        offered = [SimpleCompletion(each, type="nbxunit") for each in found]
        return {"completions": offered, "suppress": bool(found)}

    shell.Completer.custom_matchers.append(context_matcher(identifier=_MATCHER)(match))


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
    matchers: list[Any] = getattr(shell.Completer, "custom_matchers", [])
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != _MATCHER]
    for magic in _COMPLETED:
        shell.strdispatchers["complete_command"].strs.pop(magic, None)
    shell.strdispatchers["complete_command"].regexs.pop(re.compile(_COMMENT), None)
