"""A Dask scheduler and workers as processes of their own, each with its own folder, as on a cluster."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import warm_commands


class Cluster:
    """A scheduler, and workers that `start` makes; all of them end with `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: dict[str, Any] = {}
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._launch("scheduler", "", "scheduler", *words, "--scheduler-file", str(self.file))
        until(self.file.exists)

    def start(self, name: str, *words: str, python: str = "", **env: str) -> None:
        """Start a worker with one thread, and wait until it has registered."""
        self.begin(name, *words, python=python, **env)
        self.wait(name)

    def wait(self, name: str) -> None:
        """Wait until a worker has registered."""
        log = self.folder / name / "log"
        until(lambda: "Registered to" in log.read_text())

    def begin(self, name: str, *words: str, python: str = "", **env: str) -> None:
        """Start a worker with one thread: a fork, or by a `python` of its own."""
        self._launch(name, python, "worker", "--scheduler-file", str(self.file), "--name", name,
                     "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
                     "--local-directory", str(self.folder / name), *words, **env)  # fmt: skip

    def _launch(self, name: str, python: str, kind: str, *words: str, **env: str) -> None:
        folder = self.folder / name
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        env = {**kept, "CLUSTER": str(self.folder), "WORKER": name, **env}
        with (folder / "log").open("wb") as log:
            options: dict[str, Any] = {"cwd": folder, "env": env, "stdout": log, "stderr": log}
            if python:
                started = subprocess.Popen([python, "-m", "dask", kind, *words], **options)
            else:
                started = warm_commands.start("dask", [kind, *words], **options)
            self.processes[name] = started

    def signal(self, name: str, number: int) -> None:
        """Send a signal to the scheduler or a worker."""
        self.processes[name].send_signal(number)

    def left(self) -> list[str]:
        """The processes of this cluster's kernels, and what these have started."""
        mark = f"CLUSTER={self.folder}".encode()
        return [entry.name for entry in Path("/proc").glob("[0-9]*") if _is_kernel(entry, mark)]

    def close(self) -> None:
        """Kill all of it: asked to end, workers would wait for a scheduler that ends, too."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


@contextlib.contextmanager
def cluster(folder: Path, *workers: str, words: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """A cluster with these workers, for the time of a block."""
    made = Cluster(folder)
    try:
        for each in workers:
            made.begin(each, *words)
        for each in workers:
            made.wait(each)
        yield made
    finally:
        made.close()


def until(condition, seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def _is_kernel(process: Path, mark: bytes) -> bool:
    try:
        environment = (process / "environ").read_bytes().split(b"\0")
        command = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return mark in environment and (b"ipykernel" in command or b"nbxunit" in command)
