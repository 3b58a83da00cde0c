"""What a report must be before pytest's reporters see it: code in a kernel may have made it up.

Imports the standard library only. Reporters take this for granted, and one that raises ends the session of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LOCATION = ((str,), (int, type(None)), (str,))
_SKIP = ((str,), (int,), (str,))
_SECTION = ((str,), (str,))
_PROPERTY = ((object,), (object,))


def check(report: Any) -> None:
    """TypeError, or what showing it raises, if `report` is none that pytest can have made."""
    for name in ("nodeid", "outcome", "wasxfail"):
        _expect(name, isinstance(getattr(report, name, ""), str))
    _expect("keywords", isinstance(getattr(report, "keywords", {}), Mapping))
    check_times(report)
    _expect("location", _has_form(report.location, _LOCATION))
    _expect("sections", all(_has_form(each, _SECTION) for each in report.sections))
    properties = getattr(report, "user_properties", ())
    _expect("user_properties", all(_has_form(each, _PROPERTY) for each in properties))
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        _expect("longrepr", _has_form(report.longrepr, _SKIP))
    if report.outcome == "failed":
        _expect("longrepr", report.longrepr is not None)
    if report.longrepr:
        _ = report.longreprtext  # written as a terminal shows it


def check_times(report: Any) -> None:
    """TypeError if the times of `report` are none."""
    for name in ("duration", "start", "stop"):
        _expect(name, type(getattr(report, name, 0)) in (int, float))


def _has_form(value: Any, form: tuple[tuple[type, ...], ...]) -> bool:
    return (
        isinstance(value, tuple) and len(value) == len(form) and all(map(isinstance, value, form))
    )


def _expect(name: str, is_sound: bool) -> None:  # noqa: FBT001 - it is the whole question
    if not is_sound:
        raise TypeError(f"its {name} is none of pytest's")
