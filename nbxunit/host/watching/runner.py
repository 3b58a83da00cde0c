"""A run that is forked ahead: pytest and its plugins are imported, and its fork server has what notebooks import."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from nbxunit.host import compat
from nbxunit.host.kernels import launching
from nbxunit.host.notebooks import files
from nbxunit.host.session.changed import Touched

_IMPORTED = (
    "nbclient", "jupyter_client.manager", "jupyter_client.asynchronous.client",
    "jupyter_client.provisioning", "nbxunit.host.running.local", "nbxunit.host.session.plugin",
    "nbxunit.host.session.replay",
)  # fmt: skip
"""What every run imports, once for all of them."""
_OPTIONS = ("-p", "nbxunit")
"""What every run says to pytest."""


class Runner:
    """A process that waits to run pytest once; `channel` takes its order, `output` what it prints."""

    def __init__(self, pid: int, channel: socket.socket, output: int) -> None:
        self._pid = pid
        self._channel = channel
        self._output = output

    @classmethod
    def fork(cls, run: Callable[..., int], libraries: Sequence[str] | None) -> Runner:
        """A new one. It loads pytest's plugins meanwhile, and its fork server imports `libraries`.

        With None it does not: the person may work on one of these plugins, and each run is to see a change.
        """
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
    channel: socket.socket, output: int, run: Callable[..., int], libraries: Sequence[str] | None
) -> int:
    """Be the process: wait for the order, and run it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # while it waits, Ctrl-C is the watch's
    os.set_inheritable(channel.fileno(), False)  # noqa: FBT003
    server = launching.launch_early()
    if libraries is not None:
        if server is not None:
            server.warm(libraries, _OPTIONS)
        _load_plugins()
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


class _Loaded:
    """Ends pytest where it has loaded its plugins, and would let them see files."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self) -> Generator[None]:
        _enough()
        yield


class _LoadedError(Exception):
    """The plugins are loaded."""


def _enough() -> None:
    raise _LoadedError


def _load_plugins() -> None:
    """Import pytest's plugins as a run does. What is wrong with one, each run says for itself."""
    quiet = io.StringIO()
    with (
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        contextlib.suppress(BaseException),
    ):
        pytest.main([*_OPTIONS, "-c", os.devnull, "--rootdir", os.sep], [_Loaded()])
