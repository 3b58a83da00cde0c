"""The process of the fork server, launched before anything that takes time to import.

Imports what is small of the standard library: the process starts as many milliseconds later as this
takes, and a single notebook waits for it. `forking` speaks with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

_PIPES = ("TEST_RUN_PIPE", "RUN_TEST_IDS_PIPE")
"""Variables that name pipes to an editor (VS Code); only one process may write there."""


class Launched(NamedTuple):
    """A process, the host's end of the channel to it, and the environment that it has."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    environment: dict[str, str]

    def warm(self, modules: Sequence[str], words: Sequence[str]) -> None:
        """Let it import `modules`, as far as they can be, before the first kernel is asked for."""
        self._order(preload=[], hints=modules, words=words, many=True)

    def load_plugins(self, words: Sequence[str]) -> None:
        """Let it import pytest's plugins, as `words` for pytest say, before the first kernel is asked for."""
        self._order(plugins=words)

    def _order(self, **order: object) -> None:
        # Where it has ended, that is told when a kernel is asked for.
        with contextlib.suppress(OSError):
            self.channel.sendall(json.dumps(order).encode() + b"\n")


_early: list[Launched] = []


def is_possible() -> bool:
    """Whether this system forks, and this host's environment is one that a fork can have."""
    measured = "COVERAGE_PROCESS_START" in os.environ  # by a file for each process
    return hasattr(os, "fork") and hasattr(socket, "AF_UNIX") and not measured


def launch_early() -> Launched | None:
    """Launch the process that the next `take` gives, while others import what they need.

    None where the system cannot fork.
    """
    if not is_possible():
        return None
    if not _early:
        _early.append(_launch())
    return _early[0]


def take() -> Launched:
    """The process that was launched early, or a new one."""
    return _early.pop() if _early else _launch()


def drop_early() -> None:
    """End the process that nobody took; it runs no kernel."""
    while _early:
        process, channel, _ = _early.pop()
        process.kill()
        channel.close()
        process.wait()


def environment() -> dict[str, str]:
    """The variables of this process, with paths of modules that mean the same in another folder."""
    variables = {name: value for name, value in os.environ.items() if name not in _PIPES}
    if path := variables.get("PYTHONPATH"):
        entries = map(os.path.abspath, path.split(os.pathsep))
        variables["PYTHONPATH"] = os.pathsep.join(entries)
    return variables


def _launch() -> Launched:
    _open_standard_streams()
    ours, theirs = socket.socketpair()
    variables = environment()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own module, on our own Python
            [sys.executable, "-m", "nbxunit.kernel.headless.forkserver", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=variables,
            cwd=os.sep,  # not where a module could hide one of the server's
            start_new_session=True,  # Ctrl-C is the host's
        )
    return Launched(process, ours, variables)


def _open_standard_streams() -> None:
    """Let no socket get the number of one that is closed: pytest's capture takes these for its own."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # noqa: PLR2004 - 0, 1 and 2
        os.set_inheritable(number, True)  # noqa: FBT003
    os.close(number)
