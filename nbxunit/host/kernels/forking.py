"""The host's end of the fork server: kernels of the host's own Python, forked instead of spawned.

The server is a process of `nbxunit.kernel.headless.forkserver`; the host starts it and speaks with it, and
never imports it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from nbxunit.host import tasks
from nbxunit.host.kernels import launching, processes
from nbxunit.host.kernels.forked_process import ForkedProcess
from nbxunit.host.notebooks import files

T = TypeVar("T")
INTERPRETER = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "LC_", "LANG", "TZ", "IPYTHON", "JUPYTER")
"""Variables that a process looks at when it starts: where they differ, a fork would differ too."""
LATER = ("IPYTHONDIR",)
"""Variables that a kernel looks at when it has been forked."""
LAUNCHERS = ("ipykernel_launcher", "ipykernel")
FIRST_FORK = 60
"""Seconds until the server has forked its first kernel; before, it imports what `--preload` names."""
ANSWER = 10
"""Seconds until the server answers when it has begun; mostly it takes milliseconds."""
WAKE = 1.0
"""Seconds without an answer until it is woken, and again: what runs in a kernel can stop it."""


class ForkError(Exception):
    """The fork server does not fork this kernel; the message says why."""


def _is_launch(argv: Sequence[str]) -> bool:
    words = [word for word in argv[1:3] if word != "-Xfrozen_modules=off"]  # for the debugger alone
    return len(argv) > 2 and words[0] == "-m" and argv[argv.index("-m") + 1] in LAUNCHERS  # noqa: PLR2004


class ForkServer:
    """A running fork server. All methods but `take` and `close` are for one event loop.

    `refusal` is why it does not fork, or not any more, if that is so. What runs in a kernel can do
    to the server whatever it likes, so no answer is waited for without end.
    """

    def __init__(self, launched: launching.Launched) -> None:
        self._process = launched.process
        self._channel = launched.channel
        self._environment = launched.environment
        self._numbers = itertools.count(1)
        self._forks: dict[int, asyncio.Future[int]] = {}
        self._ends: dict[int, ForkedProcess] = {}
        self._buffer = b""
        self._preload = ""
        self.refusal: str | None = None
        self._is_refused = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending = asyncio.Lock()

    @classmethod
    def take(cls) -> Self:
        """A server: the one that was launched early, or a new one."""
        return cls(launching.take())

    def refuse(self, why: str) -> None:
        """Fork no more kernels."""
        self.refusal, self._is_refused = why, True

    def serves(self, argv: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether a kernel that is launched like this can be a fork."""
        if self._is_refused or self._process.poll() is not None:
            return False
        python, ours = Path(argv[0]), Path(sys.executable)
        # In a virtual environment the interpreter is a link, so that its folder tells which it is.
        is_ours = python.parent == ours.parent and python.resolve() == ours.resolve()
        return is_ours and _is_launch(argv) and not self._differs(environment)

    def _differs(self, environment: Mapping[str, str]) -> bool:
        names = {*environment, *self._environment}
        return any(
            name.startswith(INTERPRETER)
            and name not in LATER
            and environment.get(name) != self._environment.get(name)
            for name in names
        )

    async def fork(self, order: Mapping[str, Any]) -> ForkedProcess:
        """A kernel's process. ForkError if the server refuses, or has ended."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._channel.setblocking(False)  # noqa: FBT003
            self._loop.add_reader(self._channel, self._read)
        if modules := order["preload"]:
            self._preload = f", while or after it imported --preload {','.join(modules)}"
        number = next(self._numbers)
        answer: asyncio.Future[int] = self._loop.create_future()
        self._forks[number] = answer
        limit = ANSWER if self._ends else FIRST_FORK
        async with tasks.running(self._send({"fork": number, **order})) as (sending,):
            await tasks.first(sending, timeout=limit)
            if sending.done():
                sending.result()
            files.import_ahead()  # the server is not there yet, or forks
            pid = await self._answered(answer, limit)
        return self._process_of(pid)

    async def _send(self, order: Mapping[str, object]) -> None:
        assert self._loop is not None
        async with self._sending:
            with contextlib.suppress(OSError):  # the end of the channel is told to `_read`
                await self._loop.sock_sendall(self._channel, json.dumps(order).encode() + b"\n")

    async def _told(self, end: asyncio.Future[None]) -> None:
        """Wait for the news of a kernel's `end`, which has come to pass."""
        await self._answered(end, ANSWER)

    async def _answered(self, answer: asyncio.Future[T], seconds: float) -> T:
        """An answer of the server; where none comes in `seconds`, there is a server no more."""
        deadline = time.monotonic() + seconds
        while not answer.done() and time.monotonic() < deadline:
            await tasks.first(answer, timeout=WAKE)
            if not answer.done():
                self._process.send_signal(signal.SIGCONT)
        if not answer.done():
            self._lost(f"did not answer within {seconds} s")
        return await answer

    def _process_of(self, pid: int) -> ForkedProcess:
        if pid not in self._ends:
            self._ends[pid] = ForkedProcess(pid, self._told)
        return self._ends[pid]

    def _read(self) -> None:
        assert self._loop is not None
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._lost("has ended")
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: Mapping[str, Any]) -> None:
        if "ended" in answer:
            self._process_of(answer["ended"]).end(answer["status"])
        elif "forked" in answer:
            self._forks.pop(answer["forked"]).set_result(answer["pid"])
        else:
            self.refusal = answer["why"]
            self._forks.pop(answer["refused"]).set_exception(ForkError(answer["why"]))

    def _lost(self, how: str) -> None:
        """The server has died, or is of no use, and its kernels die with it."""
        assert self._loop is not None
        self._loop.remove_reader(self._channel)
        running = [process for process in self._ends.values() if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it closed the socket, and lives on
            status = self._process.wait(timeout=WAKE if how == "has ended" else 0)
            how = f"{'was' if status < 0 else 'ended with'} {processes.ending(status)}"
        self._process.kill()
        self._process.wait()
        self.refusal = f"the fork server {how}{'' if self._ends else self._preload}"
        for answer in self._forks.values():
            if not answer.done():
                answer.set_exception(ForkError(self.refusal))
        for process in running:
            process.end(-signal.SIGKILL, f"its parent, the fork server, {how}")

    def drop(self) -> None:
        """End the server at once; it runs no kernel, or has been closed."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End the server, and what it still runs."""
        self._process.send_signal(signal.SIGCONT)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._channel)
        self._channel.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
