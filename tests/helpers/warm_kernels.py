"""Kernels that one warm process forks, instead of spawned ones that each import ipykernel and pytest.

The process is nbxunit's own fork server, asked in its own words, so that a kernel is what
`python -m ipykernel_launcher` starts. A kernel's sockets are files: a port, which is free when the kernel
is started, another process can take before the kernel has it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import json
import os
import queue
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import warm_commands
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from warm_commands import Signalled

from nbxunit.host.kernels import launching

TIMEOUT = 60
wanted = True
"""Whether kernels are forks at all; the option `--kernels` says it."""


def manager() -> KernelManager:
    """A manager that starts its kernel as a fork, where forks are wanted and the system has them."""
    made = KernelManager(kernel_name="python3")
    if sys.platform != "win32":
        made.transport, made.ip = "ipc", f"{_sockets()}/{next(_numbers)}"
    if wanted and launching.is_possible():
        made.provisioner = _Provisioner(
            kernel_id=made.kernel_id or "", kernel_spec=made.kernel_spec, parent=made
        )
    return made


@contextlib.contextmanager
def started(
    folder: Path, env: Mapping[str, str]
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """A kernel in `folder` with these variables, and its client, for the time of a block."""
    made = manager()
    made.start_kernel(cwd=str(folder), env={**env})
    client = made.client()
    client.start_channels()
    try:
        _wait_until_ready(client)
        yield made, client
    finally:
        client.stop_channels()
        made.shutdown_kernel(now=True)
        made.cleanup_resources()


def _wait_until_ready(client: BlockingKernelClient) -> None:
    """Wait until the kernel answers, and its output comes. The client's own way waits 0.2 s more."""
    while True:
        asked = client.kernel_info()
        client.get_shell_msg(timeout=TIMEOUT)
        with contextlib.suppress(queue.Empty):  # output is lost until the kernel knows who listens
            while True:
                message = client.get_iopub_msg(timeout=0.2)
                is_ours = message["parent_header"].get("msg_id") == asked
                if is_ours and message["content"].get("execution_state") == "idle":
                    return


_numbers = itertools.count(1)


@functools.cache
def _sockets() -> str:
    folder = tempfile.mkdtemp(prefix="k-", dir=os.sep + "tmp")  # their paths must be short
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class _Provisioner(LocalProvisioner):
    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        argv = cmd[cmd.index("-m") + 1 :]
        self.process = _server().fork(argv, str(kwargs["cwd"]), kwargs["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is called
        await super().kill(restart)
        assert self.process is not None
        self.process.wait()  # the manager looks ten times a second


@functools.cache
def _server() -> _Server:
    return _Server()


class _Server:
    """A fork server, and what it told: answers to orders, and the ends of its kernels."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._rest = b""
        self._forked: list[int] = []
        self.ends: dict[int, int] = {}
        with theirs:
            process = warm_commands.fork_server(
                [str(theirs.fileno())], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=os.sep, env=dict(os.environ),
                start_new_session=True,
            )  # fmt: skip
        atexit.register(process.wait)
        atexit.register(self._channel.close)

    def fork(self, argv: list[str], cwd: str, env: dict[str, str]) -> _Process:
        """The process of a kernel, which has its sockets."""
        folder = Path(tempfile.mkdtemp(prefix="warm-kernel-"))
        order = {
            "fork": 1, "argv": argv, "cwd": cwd, "env": env, "output": str(folder / "output"),
            "ready": str(folder / "ready"), "words": [], "preload": [], "many": False,
        }  # fmt: skip
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(order["ready"])
            self._channel.sendall(json.dumps(order).encode() + b"\n")
            while not self._forked:
                self.take()
            ready.recv(16)
        return _Process(self, self._forked.pop(), folder)

    def take(self, *, wait: bool = True) -> None:
        """Take what it has told, or `wait` until it tells something."""
        if not wait and not select.select([self._channel], [], [], 0)[0]:
            return
        data = self._channel.recv(65536)
        assert data, "the fork server has ended"
        *lines, self._rest = (self._rest + data).split(b"\n")
        for answer in map(json.loads, lines):
            if "ended" in answer:
                self.ends[answer["ended"]] = answer["status"]
            else:
                self._forked.append(answer["pid"])


class _Process(Signalled):
    """A kernel's process, as `subprocess.Popen` has it."""

    stdin = stdout = stderr = None

    def __init__(self, server: _Server, pid: int, folder: Path) -> None:
        self.pid = pid
        self._server = server
        self._folder = folder

    def poll(self) -> int | None:
        """The status, None while it runs."""
        self._server.take(wait=False)
        return self._server.ends.get(self.pid)

    def wait(self) -> int:
        """The status, when it has ended."""
        while self.pid not in self._server.ends:
            self._server.take()
        shutil.rmtree(self._folder, ignore_errors=True)
        return self._server.ends[self.pid]
