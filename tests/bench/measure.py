"""What one command costs: time, CPU and memory of its processes, and what it leaves behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import statistics
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT = 900
"""Seconds after which a command is ended."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of wall time and of CPU of all processes, MB of memory of the first, processes left."""

    wall: float
    cpu: float
    memory: float
    left: int


def cost(command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path) -> Cost:
    """Run `command`; RuntimeError, with what it printed, if its status is not 0."""
    mark = uuid.uuid4().hex
    with log.open("wb") as file:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env={**environment, "BENCH": mark}, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
        watch = _Memory(process.pid)
        killer = threading.Timer(LIMIT, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, watch.peak(), _processes(mark))


def table(title: str, costs: Mapping[str, Sequence[Cost]], peer: str) -> str:
    """A table in Markdown: medians, and those of the ratios to `peer` within each round; the load above."""
    rows = [
        f"load {os.getloadavg()[0]:.1f}\n",
        f"| {title} | wall, s | CPU, s | wall / {peer} | CPU / {peer} |",
        "|---|---|---|---|---|",
    ]
    middle = statistics.median
    for name, own in costs.items():
        pairs = list(zip(own, costs[peer], strict=True))
        wall = middle(each.wall / other.wall for each, other in pairs)
        cpu = middle(each.cpu / other.cpu for each, other in pairs)
        rows.append(
            f"| {name} | {middle(each.wall for each in own):.2f} "
            f"| {middle(each.cpu for each in own):.2f} | {wall:.2f} | {cpu:.2f} |"
        )
    return "\n".join(rows)


class _Memory(threading.Thread):
    """Looks at the peak of a process's resident memory until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._kilobytes = 0
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                for line in self._status.read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self._kilobytes = int(line.split()[1])
                time.sleep(0.02)

    def peak(self) -> float:
        self.join()
        return self._kilobytes / 1000


def _processes(mark: str) -> int:
    count = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            count += f"BENCH={mark}".encode() in (entry / "environ").read_bytes().split(b"\0")
    return count
