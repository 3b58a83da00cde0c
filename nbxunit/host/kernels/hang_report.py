"""What a kernel is doing that took too long: it is asked by a signal, and writes files.

Imports the standard library and the protocol. The kernel's end is `kernel.stacks`, which the host never imports.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from pathlib import Path

from nbxunit import protocol
from nbxunit.host.kernels import processes
from nbxunit.host.kernels.kernel import Kernel
from nbxunit.host.records import Sections

PATIENCE = 0.5
"""Seconds that a kernel may take to say what it is doing."""
TICK = 0.02
TOLD, RAW = "stacks", "raw-stacks"
LIMIT = 50_000
"""Characters of that in a report."""


async def stacks(kernel: Kernel) -> Sections:
    """What the kernel is doing, as a section of a report; none where it does not tell."""
    told = kernel.folder / TOLD
    told.unlink(missing_ok=True)
    if not (kernel.folder / RAW).exists() or not _catches_signal(kernel.process.pid):
        return ()
    kernel.process.send_signal(signal.SIGUSR2)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not told.exists():
                await asyncio.sleep(TICK)
    return last_stacks(kernel)


def last_stacks(kernel: Kernel) -> Sections:
    """What the kernel has told last, which is there before what it was doing goes on."""
    for path in (kernel.folder / TOLD, kernel.folder / RAW):
        with contextlib.suppress(OSError):
            if text := path.read_text(encoding="utf-8", errors="replace")[:LIMIT]:
                return (("What ran when the time was over", protocol.clean(text)),)
    return ()


def _catches_signal(pid: int) -> bool:
    """Whether a process listens to SIGUSR2, which kills it otherwise.

    Where the system does not tell, as macOS, it is believed to do so: it did when it began.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return hasattr(signal, "SIGUSR2") and not processes.has_proc()
    caught = int(re.findall(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)[0], 16)
    return bool(caught >> (signal.SIGUSR2 - 1) & 1)
