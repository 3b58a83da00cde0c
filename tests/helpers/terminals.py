"""`nbxunit watch` at a terminal of its own, as a person starts it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time

CLEAR = "\x1b[2J\x1b[3J\x1b[H"


class Terminal:
    """A terminal in which `nbxunit watch` runs in a folder."""

    def __init__(self, folder, *words: str) -> None:
        self._end, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nbxunit", "watch", *words], cwd=folder, start_new_session=True,
            stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, "LINES": "60"},
        )  # fmt: skip
        os.close(terminal)

    def read(self, until: str, timeout: float = 60) -> str:
        """What it shows next, up to a text."""
        text, end = "", time.monotonic() + timeout
        while until not in text and time.monotonic() < end:
            if select.select([self._end], [], [], 0.1)[0]:
                text += os.read(self._end, 65536).decode()
        return text

    def screen(self, timeout: float = 60) -> str:
        """The next screen, when it is whole."""
        text = self.read("q: quit", timeout)
        assert CLEAR in text
        return re.sub(r"\x1b\[[\d;]*m", "", text.rpartition(CLEAR)[2])

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._end, key.encode())

    def close(self) -> int:
        """Quit; the exit code."""
        self.press("q")
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            os.close(self._end)
