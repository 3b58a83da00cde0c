"""What a notebook's run is asked and what it tells: jobs and records, plain data.

Imports the standard library and the protocol. Records go from the loop of `local` to `replay`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from nbxunit import protocol

Sections: TypeAlias = tuple[tuple[str, str], ...]
"""Headed texts below a report."""


@dataclasses.dataclass(frozen=True)
class Checking:
    """How stored outputs are compared: more `rules` (pattern, replacement), and whether they are updated.

    `names` are those of the cells that were asked for, as in `cell[3]`; None where all were. `keyword` and
    `marks` are pytest's expressions of `-k` and `-m`.
    """

    rules: tuple[tuple[str, str], ...] = ()
    update: bool = False
    names: tuple[str, ...] | None = None
    keyword: str = ""
    marks: str = ""


@dataclasses.dataclass(frozen=True)
class Job:
    """A notebook to run. `args` and `options` are pytest's for the kernel, timeouts in seconds.

    `save` is the file for the executed notebook; with `strict_cells`, what a cell only shows is an
    error. `environment` is the host's when the run was asked for. A `companion` is a test module, whose
    notebooks its own tests execute. `parameters` are given values, of which `secrets` (globs) are not
    shown; `variant` names this run of the notebook among others of it. `checking` is there where stored
    outputs are compared. `words` are those of the host's command line, of which the kernel makes the
    values of the options `made`, which tells how they look; values that are `opened` files have a path
    and a mode. `python_path` is what the kernel imports from besides, `log_file` whether pytest writes
    one. `worker` is xdist's `workerinput`, where plugins are to take the kernel for a worker of xdist.
    `measured` is what coverage is measured of, and how, where it is.
    `images` says whether reports carry the images that tests display.
    `cwd` is the folder in which the host stands. `resources` are what a cluster's worker must have;
    `told_ahead` if what its kernel has not sent yet is told, too, since nobody could read it later.
    """

    path: Path
    kernel: str | None = None
    args: tuple[str, ...] = ()
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    selection: Mapping[str, object] = dataclasses.field(default_factory=dict)
    cell_timeout: float | None = None
    test_timeout: float | None = None
    notebook_timeout: float | None = None
    save: Path | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    live_output: bool = False
    images: bool = False
    strict_cells: bool = False
    companion: bool = False
    parameters: Mapping[str, object] = dataclasses.field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    variant: str = ""
    checking: Checking | None = None
    words: tuple[str, ...] = ()
    made: Mapping[str, str] = dataclasses.field(default_factory=dict)
    opened: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    python_path: tuple[str, ...] = ()
    log_file: bool = False
    worker: Mapping[str, object] | None = None
    measured: Mapping[str, object] | None = None
    cwd: str = ""
    told_ahead: bool = False
    resources: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Broken:
    """A notebook that cannot be collected: `text` says why, `place` where in it."""

    text: str
    place: str = ""
    sections: Sections = ()

    def __str__(self) -> str:
        """The report of it."""
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A notebook that one of its cells skips, and why."""

    reason: str
    place: str
    line: int

    def __str__(self) -> str:
        """The reason, as pytest words it."""
        return f"Skipped: {self.reason}"


@dataclasses.dataclass(frozen=True)
class Output:
    """What the notebook's code printed, where output is not captured (`-s`)."""

    stream: str
    text: str


@dataclasses.dataclass(frozen=True)
class Logged:
    """What pytest in the kernel wrote to the file that `--log-file` asks for."""

    text: str


@dataclasses.dataclass(frozen=True)
class Executed:
    """All cells have run, in so many seconds."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class Remark:
    """What a person should know of the notebook, in one line, although nothing is wrong."""

    text: str


@dataclasses.dataclass(frozen=True)
class CellCompared:
    """What came of a cell whose stored outputs were compared: `outcome` is passed, failed, error or skipped.

    `images` are those that differ: type, stored and new, in base64.
    """

    name: str
    number: int
    outcome: str
    text: str = ""
    images: tuple[tuple[str, str, str], ...] = ()
    seconds: float = 0.0
    updated: bool = False


@dataclasses.dataclass(frozen=True)
class Deselected:
    """Cells whose outputs are not compared, since `-k` or `-m` left them out."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Question:
    """The kernel waits for a line from the keyboard (`--pdb`)."""

    prompt: str


@dataclasses.dataclass(frozen=True)
class Died:
    """The kernel's tests have ended before their time; `text` and `sections` say how.

    `torn_down` if what was set up is torn down all the same; `stopped` if the run was to end then, so
    that nobody waits for the tests that had not run.
    """

    text: str
    sections: Sections = ()
    torn_down: bool = False
    stopped: bool = False


Record: TypeAlias = (
    protocol.Event
    | Output
    | Logged
    | Broken
    | Skipped
    | Executed
    | Remark
    | CellCompared
    | Deselected
    | Question
    | Died
)
