"""The options of a run in a kernel: what a host has resolved, and what is the host's alone.

May import pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from nbxunit import carried

NEUTRAL: Mapping[str, object] = {
    "nbxunit": False, "numprocesses": None, "dist": "no", "tx": [], "maxprocesses": None,
    "xmlpath": None, "htmlpath": None, "cov_source": [], "no_cov": True,
    "cacheshow": None, "cacheclear": False, "pastebin": None, "store_durations": False,
    "splits": None, "group": None, "json_report": False, "log_file": None, "no_header": True,
}  # fmt: skip
"""Options of plugins that report, write or distribute: that is the host's, as under xdist."""
SELECTING: Mapping[str, object] = {
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
}  # fmt: skip
"""Options that select by the cache. A host has done so; inline it is done here."""
REPORTED: Mapping[str, object] = {"durations": None}
"""Options of what pytest says at the end of a session; a host says it of all tests."""


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What a host knows of its command line: values of `options`, and those that are `made` of its `words`.

    Of these it tells how they look there; see `carried`.
    """

    options: Mapping[str, object]
    words: Sequence[str] = ()
    made: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def check(self, config: pytest.Config) -> None:
        """UsageError for options whose values here are not those of the host."""
        for name, look in self.made.items():
            if name in NEUTRAL or not hasattr(config.option, name):
                continue
            here = carried.look(getattr(config.option, name))
            if here != look:
                raise pytest.UsageError(
                    f"the option {name!r} cannot be carried to the kernel: there its value looks as {here}, "
                    f"on the host as {look}; let the command line alone decide it"
                )
