"""The terminal of a watch: one screen of a run, and single keys."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
from collections.abc import Callable, Iterator

_LEAST = 10
"""Lines of a screen where its height is not known, or makes no sense."""


class Screen:
    """The terminal: what comes is shown as it comes, and at the end as much of it as fits."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._text = ""

    def begin(self, title: str) -> None:
        """Clear the screen."""
        self._title = title
        self._put(f"{self._cleared()}{title}\n")

    def write(self, text: str) -> None:
        """Show what comes."""
        self._text += text
        self._put(text)

    def end(self) -> None:
        """Show the beginning and the end where the whole does not fit, and which keys there are."""
        height = max(_LEAST, shutil.get_terminal_size().lines - 4)
        lines = self._text.rstrip("\n").split("\n")
        if self._is_terminal and len(lines) > height:
            half = height // 2
            left_out = len(lines) - 2 * half
            lines = [
                *lines[:half],
                f"... {left_out} lines left out; nbxunit run --lf shows them ...",
                *lines[-half:],
            ]
            text = "\n".join(lines)
            self._put(f"{self._cleared()}{self._title}\n{text}\n")
        self._put("\na: all   f: failed   q: quit\n")

    def _cleared(self) -> str:
        return "\x1b[2J\x1b[3J\x1b[H" if self._is_terminal else ""

    def _put(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


@contextlib.contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """A function that gives the key that was pressed, if one was; without a terminal, lines do."""

    def key() -> str:
        if select.select([sys.stdin], [], [], 0)[0]:
            return os.read(sys.stdin.fileno(), 1).decode("utf-8", "replace")
        return ""

    if not sys.stdin.isatty():
        yield key
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin.fileno())
    try:
        yield key
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
