"""What a notebook's run is asked and what it tells: jobs and records, plain data.

Imports the standard library and the protocol. Records go from the loop of `scheduling` to `replay`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from nbxunit import protocol


@dataclasses.dataclass(frozen=True)
class Job:
    """A notebook to run. `args` and `options` are pytest's for the kernel, timeouts in seconds.

    `environment` is the host's when the run was asked for.
    """

    path: Path
    kernel: str | None = None
    args: tuple[str, ...] = ()
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    selection: Mapping[str, object] = dataclasses.field(default_factory=dict)
    cell_timeout: float | None = None
    test_timeout: float | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    live_output: bool = False


@dataclasses.dataclass(frozen=True)
class Broken:
    """A notebook that cannot be collected: `text` says why, `place` where in it."""

    text: str
    place: str = ""
    sections: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The report of it."""
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclasses.dataclass(frozen=True)
class Output:
    """What the notebook's code printed, where output is not captured (`-s`)."""

    stream: str
    text: str


@dataclasses.dataclass(frozen=True)
class Executed:
    """All cells have run, in so many seconds."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class Question:
    """The kernel waits for a line from the keyboard (`--pdb`)."""

    prompt: str


@dataclasses.dataclass(frozen=True)
class Died:
    """The kernel has ended while its tests ran; `text` says how."""

    text: str


Record: TypeAlias = protocol.Event | Output | Broken | Executed | Question | Died
