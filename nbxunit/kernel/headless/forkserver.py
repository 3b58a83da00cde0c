"""A process that has imported what a kernel needs, and forks one child for each kernel.

Started by the host as `python -m nbxunit.kernel.headless.forkserver FD`, where FD is the number of its end of
a socket pair. May import IPython, ipykernel and pytest. It has one thread, and opens nothing that a
child could inherit: a child is a kernel as `python -m ipykernel_launcher` starts it.

Orders and answers are lines of JSON:

    {"plugins": [...]}                                                    # arguments to load them with
    {"preload": [...], "hints": [...], "words": [...], "many": true}      # imports only
    {"fork": 1, "argv": [...], "cwd": "...", "env": {...}, "output": "...", "ready": "...",
     "words": [...], "preload": [...], "many": true}
    {"forked": 1, "pid": 4711}      {"refused": 1, "why": "..."}      {"ended": 4711, "status": -9}

When the host's end is closed, the server kills its kernels, with what they started, and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbxunit.kernel.headless import forked_kernel, system, warming
from nbxunit.protocol import KERNEL_ID

MODULES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "IPython.core.magics.execution",
    "nbxunit.kernel.headless.orders",
)  # fmt: skip
"""What every kernel imports before its first cell."""
GENERATIONS = 20
"""How often the server looks for what it inherits: children come when their parents have ended."""
LATE = ("ipykernel.debugger",)
"""What a kernel imports as well, where it is installed."""
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that are meant for the host, which ends its server by itself."""
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class Server:
    """Forks kernels, and tells the host of their ends."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._kernels: dict[int, Path] = {}  # with their private folders
        self._before = dict(os.environ)
        self._unsafe: str | None = None
        self._is_warm = self._has_plugins = False
        self._preloaded: set[str] = set()
        self.more_path: list[str] = []  # IPython 7 adds its folder of extensions

    def serve(self) -> dict[str, Any]:
        """Answer orders until the host is gone, which ends the process. In a child: its order."""
        before = set(sys.path)
        for name in MODULES:
            importlib.import_module(name)
        self.more_path = [entry for entry in sys.path if entry not in before]
        for name in LATE:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        warming.make_ahead()
        server = os.getpid()
        orders = self._orders()
        for order in orders:
            if "plugins" in order:
                self._has_plugins = self._has_plugins or warming.load_many_plugins(order["plugins"])
                continue
            self._prepare(order)
            if "fork" not in order:
                continue
            if self._unsafe is not None:
                self._tell({"refused": order["fork"], "why": self._unsafe})
                continue
            pid = os.fork()
            if pid == 0:
                orders.close()
                self._channel.close()
                order |= {"changed": self._changed(), "server": server}
                return order
            self._kernels[pid] = Path(order["output"]).parent
            self._tell({"forked": order["fork"], "pid": pid})
        left = self._kernels.copy()
        for pid in left:
            system.kill_group(pid)
        self._kernels.clear()
        self._kill_orphans("")
        for folder in left.values():  # the host was killed
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # there is nothing to put back

    def _prepare(self, order: Mapping[str, Any]) -> None:
        """Import what `order` names, if it is not there, and before the first kernel what each begins with."""
        self._preload([name for name in order["preload"] if name not in self._preloaded])
        self._preloaded.update(order["preload"])
        if self._is_warm:
            return
        self._is_warm = True
        for name in order.get("hints", ()):
            with contextlib.suppress(Exception):  # a notebook may not come to import it
                importlib.import_module(name)
        gc.freeze()  # pytest collects garbage ten times at the end of its run
        if order["many"]:
            if not self._has_plugins:
                warming.load_plugins(order["words"])
            warming.run_small_test(order["words"])
        self._check_threads("a pytest plugin starts a thread when it is imported")
        _when_host_dies(signal.SIGCONT)
        gc.freeze()  # a child's collections touch, and so copy, none of what is here

    def _preload(self, modules: Sequence[str]) -> None:
        before = system.frameworks()
        for name in modules:
            try:
                importlib.import_module(name)
            except BaseException as exc:  # noqa: BLE001 - the user's module can raise anything
                self._unsafe = f"--preload {name}: {type(exc).__name__}: {exc}"
                return
            self._check_threads(f"--preload {name} starts a thread when it is imported")
            if loaded := sorted(system.frameworks() - before):
                self._unsafe = f"--preload {name} loads {', '.join(loaded)}, which no fork can use"
                return

    def _check_threads(self, what: str) -> None:
        """A thread does not survive a fork, and what it holds stays locked."""
        others = [thread.name for thread in threading.enumerate()][1:]
        if others and self._unsafe is None:
            self._unsafe = f"{what} ({', '.join(others)})"

    def _changed(self) -> dict[str, str]:
        """What imports and plugins have put into the environment, as they would in the kernel."""
        return {
            name: value for name, value in os.environ.items() if self._before.get(name) != value
        }

    def _orders(self) -> Generator[dict[str, Any], None, None]:
        """The host's orders, and meanwhile the ends of kernels."""
        wake, wakes = socket.socketpair()
        for end in (wake, wakes):
            end.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        buffer = b""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._channel, selectors.EVENT_READ)
                selector.register(wake, selectors.EVENT_READ)
                while True:
                    ready = {key.fileobj for key, _ in selector.select()}
                    if wake in ready:
                        wake.recv(4096)
                        self._reap()
                    if self._channel in ready:
                        data = self._channel.recv(65536)
                        if not data:
                            return
                        *lines, buffer = (buffer + data).split(b"\n")
                        yield from map(json.loads, lines)
        finally:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            wake.close()
            wakes.close()

    def _reap(self) -> None:
        for pid in list(self._kernels):
            status = system.status_of_dead(pid)
            if status is None:
                continue
            self._kill_orphans(self._kernels.pop(pid).name)
            self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _kill_orphans(self, mark: str) -> None:
        """Kill what the dead kernel with this mark has started in sessions of their own.

        The system gives such processes to the server when their parents end. While other kernels
        live, only those are known to be the dead one's that carry its mark.
        """
        for _ in range(GENERATIONS):
            orphans = [pid for pid in system.children() if pid not in self._kernels]
            if self._kernels:
                orphans = [
                    pid
                    for pid in orphans
                    if f"{KERNEL_ID}={mark}".encode() in system.environment(pid)
                ]
            if not orphans:
                return
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            for pid in orphans:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _tell(self, answer: Mapping[str, object]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `_orders` sees the end
            self._channel.sendall(json.dumps(answer).encode() + b"\n")


def _adopt() -> None:
    """Let the system give this process what its kernels leave behind; only Linux does that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _when_host_dies(number: int) -> None:
    """Let the system send this process a signal then; only Linux does that.

    Until it serves it has nothing to end, and may be in a module's import that does not end. Later
    it sees the end of the channel, but for what runs in a kernel can have stopped it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def main() -> None:
    """Serve the host, or be a kernel."""
    path = [entry for entry in sys.path if entry not in ("", os.getcwd())]  # as ipykernel_launcher  # noqa: PTH109
    handlers = {name: signal.signal(getattr(signal, name), signal.SIG_IGN) for name in IGNORED}
    handlers["SIGINT"] = signal.default_int_handler
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it when it is imported
    _adopt()
    _when_host_dies(signal.SIGKILL)
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(channel.fileno(), False)  # noqa: FBT003
    gc.disable()  # imports leave no garbage
    server = Server(channel)
    order = server.serve()
    gc.enable()
    forked_kernel.become({**order, "handlers": handlers}, [*path, *server.more_path])


if __name__ == "__main__":
    main()
