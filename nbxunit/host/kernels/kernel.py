"""A kernel that runs: its client, its process, its folder, and what is to be said when it has died.

Imports the standard library and what both sides share.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from nbxunit import protocol
from nbxunit.host.kernels import processes
from nbxunit.host.kernels.forked_process import ForkedProcess
from nbxunit.host.records import Sections

TICK = 0.1
"""Seconds between two looks at what the system does not tell by itself."""
LAST_LINES = 5
"""Lines of stderr that the report of a dead kernel begins with."""
LAST_SCREEN = 40
"""Lines of each of its files that stand below it."""
TAIL = 20_000
"""Bytes of what a dead kernel has written that are told."""


class KernelDied(Exception):
    """A kernel's process has ended; the message says how, with the last lines of its stderr.

    `sections` of a report say more; `torn_down` if it could tear down before.
    """

    def __init__(self, text: str, sections: Sections = (), *, torn_down: bool = False) -> None:
        super().__init__(text)
        self.sections = sections
        self.torn_down = torn_down


class Kernel:
    """A running kernel: its `client`, its process, its private `folder`."""

    def __init__(self, manager: Any, client: Any, folder: Path) -> None:
        self.manager = manager
        self.process = manager.provisioner.process
        self.client = client
        self.folder = folder
        self.journal = folder / "journal"

    @property
    def python(self) -> str:
        """The interpreter, as the kernelspec names it."""
        return str((self.manager.kernel_spec.argv or ["python"])[0])

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    async def died(self) -> KernelDied:
        """Wait until the process ends; what there is to say about it."""
        await ended(self.process)
        return KernelDied(self.obituary(), self.printed())

    def obituary(self) -> str:
        """How the process ended, and the most telling lines that it wrote to stderr."""
        how = getattr(self.process, "lost", "") or processes.ending(self.process.poll())
        text = f"the kernel died ({how})"
        lines = [line for name in _STDERR for line in _lines(self.folder / name)]
        return "\n".join([text, *_telling(lines, LAST_LINES)])

    def printed(self) -> Sections:
        """Sections of a report: what a test had printed, and more of stderr than its last lines."""
        lines = {name: _lines(self.folder / name) for name in _STDERR}
        sections = [("Captured stdout", _lines(self.folder / "captured/stdout"))]
        if sum(map(len, lines.values())) > LAST_LINES:
            sections += [(_STDERR[name], written) for name, written in lines.items()]
        return tuple(
            (name, "\n".join(_telling(written, LAST_SCREEN)))
            for name, written in sections
            if written
        )

    async def interrupt(self) -> None:
        """Interrupt what runs in the kernel."""
        await self.manager.interrupt_kernel()
        # ipykernel notes the signal for a cell that awaits, and does not wake its loop.
        self.client.kernel_info()

    async def kill(self) -> None:
        """End the process at once."""
        await self.manager.provisioner.kill()


_STDERR = {
    "stderr": "Stderr of the kernel",
    "last-words": "Stderr of the cells",
    "captured/stderr": "Captured stderr",
}
"""The files of stderr: of the process, of cells, and of the test that ran, the most telling last."""


def _lines(path: Path) -> list[str]:
    """The last lines of a file that a kernel has written; none if there is no file."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        text = protocol.clean(file.read().decode("utf-8", "replace"))
        return text.strip().splitlines()
    return []


def _telling(lines: list[str], count: int) -> list[str]:
    """So many of these lines: the last ones, or the innermost frames where faulthandler saw a crash."""
    crashes = [at for at, line in enumerate(lines) if line.startswith("Current thread 0x")]
    begin = crashes[-1] if crashes else max(0, len(lines) - count)
    return lines[begin : begin + count]


async def ended(process: Any) -> None:
    """Wait until a process ends; at once where the system tells of it."""
    if isinstance(process, ForkedProcess):
        await process.ended()
        return
    try:
        await processes.exited(process.pid)
    except OSError:
        while process.poll() is None:
            await asyncio.sleep(TICK)
