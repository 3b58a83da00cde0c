"""The options of a run in a kernel: what a host has resolved, and what is the host's alone.

May import pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nbxunit import carried
from nbxunit.kernel.run.options import NEUTRAL

WRITTEN = ("benchmark_json",)
"""Options with the path of a file that a plugin writes in the process of the tests."""


def _own(path: Path, notebook: str) -> Path:
    return path.with_name(f"{path.stem}.{notebook}{path.suffix}")


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What a host knows of its command line: values of `options`, and those that are `made` of its `words`.

    Of these it tells how they look there; see `carried`. What is `opened` there would be overwritten here.
    """

    options: Mapping[str, object]
    words: Sequence[str] = ()
    made: Mapping[str, str] = dataclasses.field(default_factory=dict)
    opened: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)

    def name_files(self, config: pytest.Config, notebook: str) -> None:
        """Give the options that are files to be written, and those `opened`, one of this notebook's own."""
        for name, (path, mode) in self.opened.items():
            if hasattr(config.option, name) and name not in NEUTRAL:
                setattr(config.option, name, _own(Path(path), notebook).open(mode))
        for name in WRITTEN:
            if getattr(config.option, name, None):
                path = getattr(config.option, name)
                setattr(config.option, name, type(path)(_own(Path(path), notebook)))

    def check(self, config: pytest.Config) -> None:
        """UsageError for options whose values here are not those of the host."""
        for name, look in self.made.items():
            if name in (*NEUTRAL, *WRITTEN) or not hasattr(config.option, name):
                continue
            here = carried.look(getattr(config.option, name))
            if here != look:
                raise pytest.UsageError(
                    f"the option {name!r} cannot be carried to the kernel: there its value looks as {here}, "
                    f"on the host as {look}; let the command line alone decide it"
                )
