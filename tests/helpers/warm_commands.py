"""Commands that warm processes fork, instead of spawned ones that each import pytest and its plugins.

There are up to three such processes for each worker of the tests. One has imported what `python -m nbxunit`
and `python -m pytest` import. One has imported what nbxunit's fork server and its kernels import, and has run
a small test, as such a server does before the first of several kernels. The third, for clusters, is like the
first and has imported distributed. A command is a fork with its own arguments, folder, environment and
streams, which then runs the module. What cannot be a fork is spawned: with a terminal, or with other variables
of the interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FORK_SERVER = "nbxunit.kernel.headless.forkserver"
WARMED_WITH = ["-p", "nbxunit"]
"""What a run without other words lets its fork server load."""
RUN = (
    "hypothesis.internal.observability", "nbxunit.host.running.control", "nbxunit.host.running.local",
    "nbxunit.host.session.plugin", "nbxunit.host.session.workers", "nbxunit.host.comparing.update",
    "nbformat.v4.convert", "jupyter_client.asynchronous", "jupyter_client.manager", "nbclient",
)  # fmt: skip
"""What a run imports after pytest and the plugins."""
CLUSTERS = (
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "nbxunit.host.running.remote",
)
"""What the processes of a cluster import."""
INTERPRETER = (
    "PYTHON", "LD_", "MALLOC_", "LC_", "LANG", "TZ", "IPYTHON", "JUPYTER", "COV", "HYPOTHESIS", "DASK",
)  # fmt: skip
"""Variables that a process looks at when it starts, or that modules look at when they are imported."""
STREAMS = ("stdin", "stdout", "stderr")
ROOM = 64 * 1024
"""Bytes for what the system shows as the environment of a command."""
ABOVE = 200
"""Numbers of files that no command is given."""


def fork_server(words: Sequence[str], **options: Any) -> Any:
    """Start nbxunit's fork server with these arguments, as `subprocess.Popen` does."""
    if sys.platform == "linux" and _warm("servers").is_like(options["env"]):
        return Process(_warm("servers").socket, FORK_SERVER, words, options)
    return subprocess.Popen([sys.executable, "-m", FORK_SERVER, *words], **options)


def start(module: str, words: Sequence[str], **options: Any) -> Any:
    """`python -m MODULE WORDS` with text as its streams: a `subprocess.Popen`, or what acts as one.

    Of `options`, which are Popen's, `cwd` and `env` are needed.
    """
    streams = [options.get(name) for name in STREAMS]
    is_plain = streams[0] is not subprocess.PIPE and not _has_terminal(streams)
    kind = "clusters" if module == "dask" or "--dask" in words else "commands"
    if sys.platform == "linux" and is_plain and _warm(kind).is_like(options["env"]):
        return Process(_warm(kind).socket, module, words, options)
    if hasattr(os, "fork"):
        options = {"preexec_fn": heed_signals, **options}
    return subprocess.Popen([sys.executable, "-m", module, *words], text=True, **options)


def run(
    module: str, words: Sequence[str], *, timeout: float, **options: Any
) -> subprocess.CompletedProcess[str]:
    """The same to its end, as `subprocess.run` does."""
    process = start(module, words, **options)
    try:
        output, errors = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return subprocess.CompletedProcess([module, *words], process.returncode, output, errors)


def heed_signals() -> None:
    """A shell's background job ignores SIGINT, under nohup SIGHUP, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _has_terminal(streams: Sequence[Any]) -> bool:
    files = [
        each if isinstance(each, int) else each.fileno() for each in streams if each is not None
    ]
    return any(number >= 0 and os.isatty(number) for number in files)


class Signalled:
    """A process that another one has forked: what `subprocess.Popen` sends to one of its own."""

    pid: int

    def poll(self) -> int | None:
        """The status, None while it runs."""
        raise NotImplementedError

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Process(Signalled):
    """A command that was forked, with what is used of `subprocess.Popen`."""

    def __init__(
        self, path: str, module: str, words: Sequence[str], options: Mapping[str, Any]
    ) -> None:
        self.args = [sys.executable, "-m", module, *words]
        self.returncode: int | None = None
        self._read: dict[int, bytes] = {}
        ours: list[Any] = []
        with contextlib.ExitStack() as opened:
            theirs: list[int] = []
            for number, stream in enumerate(options.get(name) for name in STREAMS):
                ours.append(None)
                if stream is subprocess.PIPE:
                    reading, stream = os.pipe()  # noqa: PLW2901
                    opened.callback(os.close, stream)
                    ours[-1] = open(reading, encoding="utf-8")  # noqa: SIM115, PTH123 - as Popen's
                elif stream is subprocess.DEVNULL:
                    stream = os.open(os.devnull, os.O_RDWR)  # noqa: PLW2901
                    opened.callback(os.close, stream)
                elif stream is subprocess.STDOUT:
                    stream = theirs[1]  # noqa: PLW2901
                elif stream is None:
                    stream = number  # noqa: PLW2901
                theirs.append(stream if isinstance(stream, int) else stream.fileno())
            _, self.stdout, self.stderr = ours
            passed = options.get("pass_fds", ())
            order = {
                "module": module, "words": [*words], "cwd": str(options["cwd"]), "env": {**options["env"]},
                "session": options.get("start_new_session", False), "numbers": [0, 1, 2, *passed],
                "by": os.getpid(),
            }  # fmt: skip
            self._channel = socket.socket(socket.AF_UNIX)
            self._channel.connect(path)
            socket.send_fds(self._channel, [b"-"], [*theirs, *passed])
            self._channel.sendall(json.dumps(order).encode() + b"\n")
        self._told = self._channel.makefile("r")
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended. TimeoutExpired."""
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._channel, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._told.readline())
            self._told.close()
            self._channel.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """What it prints until its end. TimeoutExpired, after which one may call again."""
        end = None if timeout is None else time.monotonic() + timeout
        files = (self.stdout, self.stderr)
        with selectors.DefaultSelector() as selector:
            for file in files:
                if file is not None:
                    selector.register(file, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(None if end is None else max(end - time.monotonic(), 0))
                if not ready:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                for key, _ in ready:
                    data = os.read(key.fd, 65536)
                    self._read[key.fd] = self._read.get(key.fd, b"") + data
                    if not data:
                        selector.unregister(key.fileobj)
        self.wait(None if end is None else max(end - time.monotonic(), 0))
        output, errors = (None if file is None else self._text(file) for file in files)
        return output, errors

    def _text(self, file: Any) -> str:
        with file:
            return io.TextIOWrapper(io.BytesIO(self._read[file.fileno()]), encoding="utf-8").read()


class Warm(NamedTuple):
    """A warm process: the `socket` where it takes orders, and the environment in which it began."""

    socket: str
    began: Mapping[str, str]

    def is_like(self, env: Mapping[str, str]) -> bool:
        """Whether a process with `env` would have begun as it did."""
        return all(
            env.get(name) == self.began.get(name)
            for name in {*env, *self.began}
            if name.startswith(INTERPRETER)
        )


@functools.cache
def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="warm-commands-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def _warm(kind: str) -> Warm:
    """The warm process for a kind of commands, or for "servers". It ends with this one, which alone has `ours` open."""
    if kind != "servers":
        _warm("servers")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    reading, ours = os.pipe()
    process = subprocess.Popen(
        [sys.executable, __file__, kind, _folder()], stdin=reading, stdout=subprocess.PIPE,
        env={"ROOM": ROOM * "-", **env}, cwd=os.sep,
    )  # fmt: skip
    os.close(reading)
    atexit.register(process.wait)
    atexit.register(os.close, ours)
    assert process.stdout is not None
    assert process.stdout.readline(), "a warm process has ended"
    return Warm(f"{_folder()}/{kind}", env)


def _serve(path: str) -> dict[str, Any]:
    """Fork a command for each order, until the tests end. In a child: its order."""
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print(flush=True)  # it is there
        selector.register(listener, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            is_end = any(key.fd == 0 for key, _ in selector.select())
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if is_end:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    with connection:
        _, streams, _, _ = socket.recv_fds(connection, 1, 8)
        with connection.makefile() as file:
            order: dict[str, Any] = json.loads(file.readline())
        pid = os.fork()
        if pid:
            for stream in (0, 1, *streams):
                os.close(stream)
            connection.sendall(b"%d\n" % pid)
            code = _end(pid, order["by"])
            with contextlib.suppress(OSError):  # nobody waits
                connection.sendall(b"%d\n" % code)
            os._exit(0)
    return {**order, "streams": streams}


def _end(pid: int, by: int) -> int:
    """The exit code of a child. Where the process that gave the order ends before, this one does, too."""
    with contextlib.suppress(ProcessLookupError):
        giver = os.pidfd_open(by)
        with selectors.DefaultSelector() as selector:
            for each in (child := os.pidfd_open(pid), giver):
                selector.register(each, selectors.EVENT_READ)
            if child not in {key.fd for key, _ in selector.select()}:
                os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become(order: Mapping[str, Any]) -> None:
    """Be the command of `order`, with what a process has from its start."""
    if order["session"]:
        os.setsid()
    heed_signals()
    import fcntl  # which Windows lacks

    moved = [fcntl.fcntl(stream, fcntl.F_DUPFD, ABOVE) for stream in order["streams"]]
    for stream in order["streams"]:
        os.close(stream)
    for stream, number in zip(moved, order["numbers"], strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    _show(order["env"])
    tempfile.tempdir = None  # TMPDIR may be another one
    sys.path[0] = order["cwd"]
    sys.argv[:] = [order["module"], *order["words"]]
    gc.enable()
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _show(env: Mapping[str, str]) -> None:
    """Let the system show `env` for this process, by which tests know what a command has left."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[47]), int(fields[48])
    data = b"".join(f"{name}={value}\0".encode() for name, value in env.items())
    assert len(data) <= end - begin, "an environment needs more room"
    ctypes.memset(begin, 0, end - begin)
    ctypes.memmove(begin, data, len(data))


def _load_plugins(words: Sequence[str], modules: Sequence[str]) -> None:
    """Load pytest's plugins as pytest does with `words`, and then `modules`, of which old releases lack some."""
    import pytest

    class Imports:
        """Imports it while pytest rewrites the asserts of plugins."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_cmdline_main(self) -> int:
            for name in modules:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            return 0

    pytest.main([*words, "-c", os.devnull, "--rootdir", os.sep], [Imports()])


def _import_servers() -> None:
    """Import it, what it imports and what its kernels do, but for what looks at the server's environment."""
    server = importlib.import_module(FORK_SERVER)
    options = importlib.import_module("nbxunit.kernel.run.options")
    ahead = importlib.import_module("nbxunit.kernel.compat.ahead")
    installed = importlib.import_module("nbxunit.kernel.compat.installed")
    for name in server.MODULES:
        if name != "ipykernel.kernelapp":
            importlib.import_module(name)
    warming = importlib.import_module("nbxunit.kernel.headless.warming")

    # A server that is to do the same before its first kernel has it behind itself.
    for name in ("load_plugins", "run_small_test"):
        done = getattr(warming, name)
        done(WARMED_WITH)
        setattr(warming, name, _once_more(done))
    ahead.make(options.WITHOUT_BLOCKED)
    with installed.read_once():
        pass


def _once_more(warm: Callable[[Sequence[str]], None]) -> Callable[[Sequence[str]], None]:
    """What warms a server, but for what it has done here."""

    def function(words: Sequence[str]) -> None:
        if words != WARMED_WITH or any(name.startswith("PYTEST_") for name in os.environ):
            warm(words)

    return function


def _import_commands(servers: Warm) -> None:
    """Load pytest's plugins as pytest does, and what a run imports; let runs fork their servers, too."""
    _load_plugins(["-p", "nbxunit", "--nbxunit"], RUN)
    importlib.import_module("nbxunit.host.notebooks.files").import_ahead()

    def popen(words: Sequence[str], **options: Any) -> Any:
        if words[1:3] != ["-m", FORK_SERVER] or not servers.is_like(options["env"]):
            return subprocess.Popen(words, **options)
        return Process(servers.socket, FORK_SERVER, words[3:], options)

    launching: Any = importlib.import_module("nbxunit.host.kernels.launching")
    launching.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})


def _main(kind: str, folder: str) -> None:
    gc.disable()
    del os.environ["ROOM"]
    if kind == "servers":
        _import_servers()
    else:
        _import_commands(Warm(f"{folder}/servers", dict(os.environ)))
        for name in CLUSTERS if kind == "clusters" else ():
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end it
    _become(_serve(f"{folder}/{kind}"))


if __name__ == "__main__":
    _main(*sys.argv[1:])
