"""The options of a run in a kernel: what a host has resolved, and what is the host's alone.

May import pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nbxunit import carried

NEUTRAL: Mapping[str, object] = {
    "nbxunit": False, "numprocesses": None, "dist": "no", "tx": [], "maxprocesses": None,
    "xmlpath": None, "htmlpath": None, "cov_source": [], "no_cov": True,
    "cacheshow": None, "cacheclear": False, "pastebin": None, "store_durations": False,
    "splits": None, "group": None, "json_report": False, "nunit_xmlpath": None, "csv_path": None,
    "report_log": None, "teamcity": 0,
    "no_teamcity": 1, "clean_alluredir": False, "log_file": None, "no_header": True,
}  # fmt: skip
"""Options of plugins that report, write or distribute: that is the host's, as under xdist."""
SELECTING: Mapping[str, object] = {
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
}  # fmt: skip
"""Options that select by the cache. A host has done so; inline it is done here."""
REPORTED: Mapping[str, object] = {"durations": None}
"""Options of what pytest says at the end of a session; a host says it of all tests."""
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
