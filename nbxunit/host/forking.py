"""The host's end of the fork server: kernels of the host's own Python, forked instead of spawned.

The server is a process of `nbxunit.kernel.forkserver`; the host starts it and speaks with it, and
never imports it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

INTERPRETER = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "LC_", "LANG", "TZ", "IPYTHON", "JUPYTER")
"""Variables that a process looks at when it starts: where they differ, a fork would differ too."""
LAUNCHERS = ("ipykernel_launcher", "ipykernel")


class ForkError(Exception):
    """The fork server does not fork this kernel; the message says why."""


def is_possible() -> bool:
    """Whether this system forks, and this host's environment is one that a fork can have."""
    relative = any(
        not os.path.isabs(entry)  # noqa: PTH117 - an entry is text, and can be empty
        for entry in os.environ.get("PYTHONPATH", os.sep).split(os.pathsep)
    )
    measured = "COVERAGE_PROCESS_START" in os.environ  # by a file for each process
    return sys.platform != "win32" and hasattr(socket, "AF_UNIX") and not relative and not measured


def _is_launch(argv: Sequence[str]) -> bool:
    words = [word for word in argv[1:3] if word != "-Xfrozen_modules=off"]  # for the debugger alone
    return len(argv) > 2 and words[0] == "-m" and argv[argv.index("-m") + 1] in LAUNCHERS  # noqa: PLR2004


class ForkServer:
    """A running fork server. All methods but `start` and `close` are for one event loop.

    `refusal` is why it does not fork, if it does not; `is_lost` if it has died.
    """

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._environment = dict(os.environ)
        self._numbers = itertools.count(1)
        self._forks: dict[int, asyncio.Future[int]] = {}
        self._ends: dict[int, ForkedProcess] = {}
        self._buffer = b""
        self.refusal: str | None = None
        self.is_lost = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def start(cls) -> Self:
        """Start the process."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own module, on our own Python
                [sys.executable, "-m", "nbxunit.kernel.forkserver", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=os.sep,  # not where a module could hide one of the server's
                start_new_session=True,  # Ctrl-C is the host's
            )
        return cls(process, ours)

    @classmethod
    def start_early(cls) -> None:
        """Start the process that the next `take` gives, while others import what they need."""
        if is_possible():
            _early.append(cls.start())

    @classmethod
    def take(cls) -> ForkServer:
        """A server: the one that was started early, or a new one."""
        return _early.pop() if _early else cls.start()

    @classmethod
    def drop_early(cls) -> None:
        """End the server that nobody took."""
        while _early:
            _early.pop().drop()

    def serves(self, argv: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether a kernel that is launched like this can be a fork."""
        if self.is_lost or self._process.poll() is not None:
            return False
        python, ours = Path(argv[0]), Path(sys.executable)
        # In a virtual environment the interpreter is a link, so that its folder tells which it is.
        is_ours = python.parent == ours.parent and python.resolve() == ours.resolve()
        return is_ours and _is_launch(argv) and not self._differs(environment)

    def _differs(self, environment: Mapping[str, str]) -> bool:
        names = {*environment, *self._environment}
        return any(
            name.startswith(INTERPRETER) and environment.get(name) != self._environment.get(name)
            for name in names
        )

    async def fork(self, order: Mapping[str, object]) -> ForkedProcess:
        """A kernel's process. ForkError if the server refuses, or has ended."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._channel.setblocking(False)  # noqa: FBT003
            self._loop.add_reader(self._channel, self._read)
        number = next(self._numbers)
        answer: asyncio.Future[int] = self._loop.create_future()
        self._forks[number] = answer
        try:
            await self._loop.sock_sendall(
                self._channel, json.dumps({"fork": number, **order}).encode() + b"\n"
            )
        except OSError as exc:
            raise ForkError(f"the fork server has ended: {exc}") from exc
        pid = await answer
        return self._ends.setdefault(pid, ForkedProcess(pid))

    def _read(self) -> None:
        assert self._loop is not None
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel)
            self._lost()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: Mapping[str, Any]) -> None:
        if "ended" in answer:
            pid = answer["ended"]
            self._ends.setdefault(pid, ForkedProcess(pid)).end(answer["status"])
        elif "forked" in answer:
            self._forks.pop(answer["forked"]).set_result(answer["pid"])
        else:
            self.refusal = answer["why"]
            self._forks.pop(answer["refused"]).set_exception(ForkError(answer["why"]))

    def _lost(self) -> None:
        """The server has died, and its kernels with it."""
        self.is_lost = True
        for answer in self._forks.values():
            if not answer.done():
                answer.set_exception(ForkError("the fork server has ended"))
        for process in self._ends.values():
            if process.returncode is None:
                process.end(-signal.SIGKILL)

    def drop(self) -> None:
        """End the server at once; it runs no kernel, or has been closed."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End the server, and what it still runs."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._channel)
        self._channel.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_early: list[ForkServer] = []


class ForkedProcess:
    """The process of a forked kernel, as `subprocess.Popen` has it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, status: int) -> None:
        """It has ended with this status, a negative one for a signal."""
        self.returncode = status
        self._ended.set()

    def poll(self) -> int | None:
        """The status, None while it runs."""
        return self.returncode

    async def ended(self) -> int:
        """Wait for its end; the status."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The status of a process that has ended."""
        del timeout
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to a process that runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


@dataclasses.dataclass(frozen=True)
class Forking:
    """How kernels are forked: by `server`, which first imports the modules `preload`.

    `words` are the arguments of pytest that keep plugins out of its warm-up, which is worth while
    where there are `many` kernels.
    """

    server: ForkServer
    words: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    many: bool = True
