"""Private names of pytest about its reports, and those of subtests.

Another part of `compat`, under the same rules. May import pytest.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest

from nbxunit.protocol import REPEATABLE

_CONTEXT = "_subtest.context"
"""What pytest calls the attribute `context` as data."""
_ATTRIBUTES = vars(pytest.TestReport("", ("", 0, ""), {}, "passed", None, "call")).keys()
"""Those of a report to which no plugin has added anything: pytest-html adds an empty list to each."""


@functools.cache
def _classes() -> tuple[type, ...]:
    """Those of pytest's reports; the one of subtests has no public name."""
    try:
        from _pytest.subtests import SubtestReport
    except ImportError:  # before pytest 9
        return (pytest.TestReport,)
    return (pytest.TestReport, SubtestReport)


def is_plain(report: pytest.TestReport) -> bool:
    """Whether `report` is pytest's own, of a test or subtest, with nothing of a plugin."""
    if type(report) not in _classes():
        return False
    added = (vars(report).keys() ^ _ATTRIBUTES) - {"context"}
    return all(type(vars(report).get(name)) is list and not vars(report)[name] for name in added)


def is_serialised_alone(config: pytest.Config) -> bool:
    """Whether no plugin but pytest's own has a say in how reports become data."""
    made = config.hook.pytest_report_to_serializable.get_hookimpls()
    return all(getattr(each.plugin, "__name__", "").startswith("_pytest.") for each in made)


def changes(report: pytest.TestReport, last: dict[str, Any]) -> dict[str, Any] | None:
    """What differs in a plain `report` from the attributes `last`, as data; None if it is more than in most.

    pytest makes data of all of a report, by a deep copy.
    """
    if vars(report).keys() != last.keys():  # a test's behind that of a subtest
        return None
    try:
        different = {name: value for name, value in vars(report).items() if value != last[name]}
    except Exception:  # noqa: BLE001 - values of user properties are of any kind
        return None
    if "context" in different:
        context: Any = different.pop("context")
        different[_CONTEXT] = context and {"msg": context.msg, "kwargs": context.kwargs}
    return different if different.keys() <= REPEATABLE else None
