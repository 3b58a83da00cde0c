"""Real runs of `nbxunit` in a folder of their own, as a person would start them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import suite
import warm_commands
from warm_commands import heed_signals


class Shell:
    """Runs `nbxunit run` in a folder as a person would, and keeps what it printed."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.launcher: list[str] = []
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        }
        self.env["NBXUNIT_TEST"] = str(folder)

    def write(self, file: str, /, *cells: str, **metadata: object) -> Path:
        """Write a notebook of these cells."""
        path = self.folder / file
        suite.write_notebook(path, list(cells), **metadata)
        return path

    def be_impatient(self) -> None:
        """Let runs say after one silent second what they wait for, and a scheduler have one to answer."""
        (self.folder / "conftest.py").write_text(
            "import os\nif 'NBXUNIT_KERNEL' not in os.environ:\n"
            "    from nbxunit.host.running import connecting\n    connecting.ANSWER = 1.0\n"
            "    from nbxunit.host.session import waiting\n    waiting.PATIENCE = 1.0\n"
        )

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """Start `nbxunit run ARGS`; `options` are Popen's."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        words = ["run", *self.options, *args]
        if not self.launcher and "preexec_fn" not in options:
            return warm_commands.start("nbxunit", words, cwd=self.folder, env=self.env, **options)
        return subprocess.Popen(
            [*self.launcher, sys.executable, "-m", "nbxunit", *words], cwd=self.folder, env=self.env,
            text=True, **{"preexec_fn": heed_signals, **options},
        )  # fmt: skip

    def run(self, *args: str, timeout: float = 90, width: int = 80) -> Result:
        """Run it to its end, on a terminal of this width."""
        self.env["COLUMNS"] = str(width)
        process = self.start(*args)
        begin = time.monotonic()  # the first command starts the process that forks them all
        output, _ = process.communicate(timeout=timeout)
        return Result(process.returncode, output, time.monotonic() - begin)

    def kernels(self) -> list[str]:
        """The processes that this shell has started, or one of those: kernels that were left."""
        mark = f"NBXUNIT_TEST={self.folder}".encode()
        return [entry.name for entry in Path("/proc").glob("[0-9]*") if mark in _environment(entry)]


def install_plugin(folder: Path, module: str, source: str = "") -> None:
    """Write what an installation of a plugin of pytest leaves in `folder`, which is to be on the path."""
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{module} = {module}\n")


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


class Result:
    """What a run came to."""

    def __init__(self, exit_code: int, output: str, seconds: float) -> None:
        self.exit = exit_code
        self.output = output
        self.seconds = seconds

    @property
    def counts(self) -> dict[str, int]:
        """The counts of pytest's last line."""
        last = [line for line in self.output.splitlines() if re.search(r"in [\d.]+s", line)][-1]
        found = re.findall(r"(\d+) ([a-z]+)", last.partition(" in ")[0])
        return {word.rstrip("s"): int(number) for number, word in found}
