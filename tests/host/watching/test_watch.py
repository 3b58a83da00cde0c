"""`nbxunit watch` at a terminal: what a save runs, and the keys."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import shells
from terminals import Terminal


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


def test_a_plugin_that_changes(shell, monkeypatch):
    """A plugin that a person works on, which is not in the folder of installed ones, is loaded anew by each run."""
    monkeypatch.setenv("PYTHONPATH", str(shell.folder), prepend=os.pathsep)
    plugin = "import pytest\n@pytest.fixture\ndef number(): return {}\n"
    shells.install_plugin(shell.folder, "numbers_plugin", plugin.format(1))
    shell.write("a.ipynb", "import numbers_plugin", "def test_a(number):\n    assert number == 1")
    terminal = Terminal(shell.folder)
    assert "1 passed" in terminal.screen()
    time.sleep(2)  # the next run waits, and has loaded what it may
    (shell.folder / "numbers_plugin.py").write_text(plugin.format(23))
    assert "assert 23 == 1" in terminal.screen()
    assert terminal.close() == 0


def test_without_watchfiles(shell):
    """Where watchfiles is missing, it says how to install it."""
    (shell.folder / "watchfiles.py").write_text("raise ImportError('not here')\n")
    result = subprocess.run(
        [sys.executable, "-m", "nbxunit", "watch"], cwd=shell.folder, capture_output=True, text=True,
        env={**shell.env, "PYTHONPATH": str(shell.folder)}, check=False,
    )  # fmt: skip
    assert result.returncode == 4
    assert "pip install 'nbxunit[watch]'" in result.stderr
