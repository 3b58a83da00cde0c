"""A run that is forked ahead: pytest is imported, and its fork server has imported what notebooks do."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from nbxunit.host import compat
from nbxunit.host.kernels import launching
from nbxunit.host.notebooks import files
from nbxunit.host.session.changed import Touched

_IMPORTED = (
    "pytest", "nbclient", "jupyter_client.manager", "jupyter_client.asynchronous.client",
    "jupyter_client.provisioning", "nbxunit.host.running.local", "nbxunit.host.session.plugin",
    "nbxunit.host.session.replay",
)  # fmt: skip
"""What every run imports, once for all of them."""


class Runner:
    """A process that waits to run pytest once; `channel` takes its order, `output` what it prints."""

    def __init__(self, pid: int, channel: socket.socket, output: int) -> None:
        self._pid = pid
        self._channel = channel
        self._output = output

    @classmethod
    def fork(cls, run: Callable[..., int], libraries: Sequence[str]) -> Runner:
        """A new one, whose fork server imports `libraries` meanwhile."""
        with compat.without_grammar():
            for name in _IMPORTED:
                importlib.import_module(name)
        files.import_ahead()
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            theirs.close()
            os.close(writing)
            return cls(pid, ours, reading)
        status = 1
        try:
            ours.close()
            os.close(reading)
            status = _serve(theirs, writing, run, libraries)
        except BaseException:  # noqa: BLE001 - the parent's code must not run here
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def run(self, words: Sequence[str], touched: Iterable[Path] | None) -> Iterator[str]:
        """Run the tests; what is printed, as it comes."""
        order = {
            "words": list(words),
            "touched": None if touched is None else list(map(str, touched)),
        }
        with contextlib.suppress(OSError):  # it has ended, and what it says tells why
            self._channel.sendall(json.dumps(order).encode() + b"\n")
        while data := os.read(self._output, 65536):
            yield data.decode("utf-8", "replace")

    def end(self) -> None:
        """End it, if it has not ended."""
        self._channel.close()
        os.close(self._output)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _serve(
    channel: socket.socket, output: int, run: Callable[..., int], libraries: Sequence[str]
) -> int:
    """Be the process: wait for the order, and run it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # while it waits, Ctrl-C is the watch's
    os.set_inheritable(channel.fileno(), False)  # noqa: FBT003
    if server := launching.launch_early():
        server.warm(libraries, ["-p", "nbxunit"])
    with channel.makefile("r", encoding="utf-8") as orders:
        line = orders.readline()
    if not line:
        launching.drop_early()
        return 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    order = json.loads(line)
    touched = order["touched"]
    return run(order["words"], [] if touched is None else [Touched(map(Path, touched))])
