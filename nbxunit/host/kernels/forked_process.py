"""The process of a kernel that the fork server has forked, as `subprocess.Popen` has it.

Imports the standard library.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from nbxunit.host import tasks
from nbxunit.host.kernels import processes


class ForkedProcess:
    """The process of a forked kernel, as `subprocess.Popen` has it.

    `told` waits for the server's news of its end. `lost` is what became of the fork server, if the
    process died with it.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, told: Callable[[asyncio.Future[None]], Awaitable[None]]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.lost = ""
        self._told = told
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self, status: int, lost: str = "") -> None:
        """It has ended with this status, a negative one for a signal; or was `lost`, as that says."""
        if self.returncode is None:
            self.returncode, self.lost = status, lost
            self._end.set_result(None)

    def poll(self) -> int | None:
        """The status, None while it runs."""
        return self.returncode

    async def ended(self) -> int:
        """Wait for its end; the status."""
        async with tasks.running(self._exited()) as (exit_,):
            await tasks.first(self._end, exit_)
        await self._told(self._end)
        assert self.returncode is not None
        return self.returncode

    async def _exited(self) -> None:
        """Wait until it has ended, which its server may not have told yet, nor ever tell."""
        try:
            await processes.exited(self.pid)
        except ProcessLookupError:
            return
        except OSError:  # nobody but the server tells
            await asyncio.wait([self._end])

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
