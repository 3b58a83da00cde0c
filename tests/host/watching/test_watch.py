"""`nbxunit watch` at a terminal: what a save runs, and the keys."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

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

    def screen(self, timeout: float = 60) -> str:
        """The next screen, when it is whole."""
        text, end = "", time.monotonic() + timeout
        while "q: quit" not in text and time.monotonic() < end:
            if select.select([self._end], [], [], 0.1)[0]:
                text += os.read(self._end, 65536).decode()
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


@pytest.fixture
def terminal(shell):
    (shell.folder / "helper.py").write_text("NUMBER = 1\n")
    shell.write("a.ipynb", "import helper", "def test_a():\n    assert helper.NUMBER == 1")
    shell.write("b.ipynb", "def test_b(): ...")
    terminal = Terminal(shell.folder)
    yield terminal
    assert terminal.close() == 0
    assert shell.kernels() == []


def test_what_a_save_runs(shell, terminal):
    """A notebook runs when it is saved, and when a module that it imports is; keys run all and what failed."""
    assert "2 passed" in terminal.screen()
    shell.write("b.ipynb", "def test_b():\n    assert 1 == 2")
    screen = terminal.screen()
    assert screen.startswith("nbxunit watch: b.ipynb saved")
    assert "FAILED b.ipynb::test_b - assert 1 == 2" in screen
    assert "a.ipynb" not in screen
    (shell.folder / "helper.py").write_text("NUMBER = 2\n")
    screen = terminal.screen()
    assert screen.startswith("nbxunit watch: helper.py saved")
    assert "1 failed" in screen
    assert "FAILED a.ipynb::test_a" in screen
    terminal.press("f")
    assert "2 failed" in terminal.screen()
    (shell.folder / "helper.py").write_text("NUMBER = 1\n")
    assert "1 passed" in terminal.screen()
    terminal.press("a")
    screen = terminal.screen()
    assert "1 failed, 1 passed" in screen
    assert "\nF. " in screen.replace("\r", "")  # failed ones first


def test_without_watchfiles(shell):
    """Where watchfiles is missing, it says how to install it."""
    (shell.folder / "watchfiles.py").write_text("raise ImportError('not here')\n")
    result = subprocess.run(
        [sys.executable, "-m", "nbxunit", "watch"], cwd=shell.folder, capture_output=True, text=True,
        env={**shell.env, "PYTHONPATH": str(shell.folder)}, check=False,
    )  # fmt: skip
    assert result.returncode == 4
    assert "pip install 'nbxunit[watch]'" in result.stderr
