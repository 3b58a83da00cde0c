"""The options of nbxunit, each said once: for the command `nbxunit run`, for pytest, and its ini file.

Imports the standard library only: every pytest run in the environment imports it. `nbxunit run` has the
short spelling `--save`, pytest `--nbxunit-save`, since pytest's own options must not be taken.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Option:
    """One option; without a `metavar` it is a flag.

    `short` is the spelling of `nbxunit run` where that is not the name. `many` may be given more than once.
    `ini` says what the ini key of this name is: a default of the option, of this pytest type.
    """

    group: str
    name: str
    help: str
    metavar: str | None = None
    short: str | None = None
    many: bool = False
    type: Any = None
    default: Any = None
    ini: Literal["string", "args", "linelist", "bool"] | None = None

    @property
    def spelling(self) -> str:
        """How `nbxunit run` spells it."""
        return self.short or f"--{self.name}"

    @property
    def dest(self) -> str:
        """The name of its value in pytest's options, and of its ini key."""
        return f"nbxunit_{self.name.replace('-', '_')}"

    @property
    def form(self) -> dict[str, Any]:
        """What both argument parsers are told of it."""
        if self.metavar is None:
            return {"action": "store_true", "default": False, "help": self.help}
        form = {"metavar": self.metavar, "help": self.help, "default": self.default}
        return {**form, "action": "append"} if self.many else form


RUNNING, TIME, KERNELS, CLUSTER, VALUES, RESULTS = (
    "which run, and how", "time limits", "kernels", "a cluster", "parameters", "results",
)  # fmt: skip
"""The groups of `nbxunit run --help`."""

OPTIONS = (
    Option(RUNNING, "jobs", "notebooks at once, each in its kernel; auto: one for each core", "N",
           short="-n"),
    Option(RUNNING, "shard", "run the K-th of N parts that take about as long, for CI on N machines", "K/N"),
    Option(RUNNING, "changed", "run only what git says has changed since REV (HEAD), and what imports that",
           "REV"),
    Option(RUNNING, "check-execution",
           "execute notebooks without tests, too, and report each execution as a test"),
    Option(RUNNING, "strict-cells", "an exception that a cell only shows, and does not raise, is an error, too"),
    Option(RUNNING, "doctest-markdown", "run the >>> examples of Markdown cells as doctests, too"),
    Option(TIME, "cell-timeout", "interrupt a cell that takes longer, then kill the kernel",
           "SECONDS", type=float, ini="string"),
    Option(TIME, "test-timeout", "interrupt a test that takes longer, then kill the kernel",
           "SECONDS", type=float, ini="string"),
    Option(TIME, "notebook-timeout", "interrupt a notebook that takes longer, then kill the kernel",
           "SECONDS", type=float, ini="string"),
    Option(KERNELS, "kernel", "run on this kernel, not the notebook's own", "NAME", ini="string"),
    Option(KERNELS, "no-fork", "start each kernel as a new process, and fork none that is warm"),
    Option(KERNELS, "preload", "import these, as in numpy,pandas, before kernels are forked",
           "MODULES", ini="args"),
    Option(CLUSTER, "dask", "run the notebooks on a Dask cluster: its address, a scheduler file, or a function "
           "that returns a distributed.Client, as module:name", "CLUSTER", ini="string"),
    Option(CLUSTER, "dask-env", "send these variables to it, as in TOKEN,STAGE; all others are the workers'",
           "NAMES", ini="args"),
    Option(CLUSTER, "dask-again", "how often a notebook whose worker was lost may start again, while none of "
           "its results is shown", "N", type=int, ini="string"),
    Option(CLUSTER, "dask-silence", "a worker or scheduler that does not answer for so long is lost (60)", "SECONDS",
           type=float, ini="string"),
    Option(VALUES, "param", "give a parameter of the notebooks a value, as papermill does",
           "NAME=VALUE", many=True),
    Option(VALUES, "params", "give them the values in a YAML or JSON file; more than one file: run the "
           "notebooks once with each", "FILE", many=True),
    Option(RESULTS, "check-outputs", "compare what cells show with what the notebook holds, each cell a test"),
    Option(RESULTS, "update-outputs", "the same, and write what differs into the notebooks"),
    Option(RESULTS, "sanitize-with", "regular expressions for texts before they are compared, in nbval's "
           "form", "FILE", many=True),
    Option(RESULTS, "annotate", "write failures as annotations for GitHub, with lines of the .ipynb files; on "
           "by itself under GITHUB_ACTIONS"),
    Option(RESULTS, "code-quality", "write failures as GitLab's code quality report", "FILE"),
    Option(RESULTS, "save", "write the executed notebooks, with all results, below DIR", "DIR"),
)  # fmt: skip
"""All options, in the order of the help."""


def spelled_for_pytest(given: Mapping[str, Any]) -> Iterator[str]:
    """The words for pytest that say what `given`, the values of `nbxunit run` by `dest`, says."""
    for option in OPTIONS:
        value = given.get(option.dest)
        if value is True:
            yield f"--nbxunit-{option.name}"
        elif value not in (None, False):
            for each in value if option.many else [value]:
                yield f"--nbxunit-{option.name}={each}"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of `nbxunit run`, in their groups; pytest checks the values."""
    groups: dict[str, Any] = {}
    for option in OPTIONS:
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        form = {**option.form, "default": None}
        groups[option.group].add_argument(option.spelling, dest=option.dest, **form)
