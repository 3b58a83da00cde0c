"""pytest's options in a kernel: what a host does with some of them is neither done here nor twice.

Imports pytest.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

BLOCKED = ("nbmake", "nbval", "nb_regression", "pytest_notebook")
"""Plugins of other tools that want the same files, and cost seconds to import."""
WITHOUT_BLOCKED = tuple(word for name in BLOCKED for word in ("-p", f"no:{name}"))
"""The arguments of pytest that keep them out."""
NEUTRAL: Mapping[str, object] = {
    "nbxunit": False, "numprocesses": None, "dist": "no", "tx": [], "maxprocesses": None,
    "xmlpath": None, "htmlpath": None, "cov_source": [], "no_cov": True,
    "cacheshow": None, "cacheclear": False, "pastebin": None, "store_durations": False,
    "splits": None, "group": None, "json_report": False, "nunit_xmlpath": None, "csv_path": None,
    "report_log": None, "teamcity": 0, "no_teamcity": 1, "clean_alluredir": False, "log_file": None,
    "testmon": False, "testmon_forceselect": False, "testmon_noselect": False, "testmon_nocollect": False,
    "no_header": True, "inline_snapshot": "disable",  # it would write into the files of cells
}  # fmt: skip
"""Options of plugins that report, write or distribute: that is the host's, as under xdist."""
_OF_THE_HOST = set(NEUTRAL) - {"no_header", "no_cov", "inline_snapshot"}
_HOSTS = (
    "nbxunit_",
    "cov_",
    "report_log",
    "allure_",
    "csv_",
    "json_report",
    "md_report",
    "self_contained",
)
"""What the options of reporting plugins, and our own, begin with."""
SELECTING: Mapping[str, object] = {
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
}  # fmt: skip
"""Options that select by the cache. A host has done so; inline it is done here."""
REPORTED: Mapping[str, object] = {"durations": None}
"""Options of what pytest says at the end of a session; a host says it of all tests."""


def refuse(options: Mapping[str, str]) -> None:
    """UsageError for options that count on a host alone, where they were given for a run in a kernel."""
    given = [
        option
        for name, option in options.items()
        if name in _OF_THE_HOST or (name.startswith(_HOSTS) and name != "nbxunit_doctest_markdown")
    ]
    if given:
        raise pytest.UsageError(
            f"{', '.join(given)} does nothing in a live notebook; it is for `nbxunit run` and pytest"
        )
