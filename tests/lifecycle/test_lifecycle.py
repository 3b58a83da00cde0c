"""The rules of hooks, names, tests and runs: each case in each of its modes, on real kernels."""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path

import lifecycle_cases
import lifecycle_harness
import pytest
from lifecycle_cases import Case
from lifecycle_harness import Outcome

CASES = {case.name: case for case in lifecycle_cases.read_all()}
SHARING = [case for case in CASES.values() if case.shares and "headless" in case.modes]
TOGETHER = 25
"""Cases that are notebooks of one run."""
_sessions: dict[str, tuple[Outcome, Outcome | None]] = {}


def pytest_generate_tests(metafunc):
    """Run what can share a process with others also by itself, with --long; all else is slow."""
    alone = metafunc.config.getoption("long")
    parameters = [
        pytest.param(
            case.name,
            mode,
            id=f"{case.name}-{mode}",
            marks=() if case in SHARING and mode == "headless" else pytest.mark.slow,
        )
        for case in CASES.values()
        for mode in (*case.modes, *(["alone"] if alone and case in SHARING else []))
    ]
    metafunc.parametrize(("name", "mode"), parameters)


def test_case(name, mode, tmp_path):
    """The case does what its file says, in the order it says."""
    case = CASES[name]
    outcome = _outcome(case, mode, tmp_path)
    report = f"{case.header['sentence']}\n--- {mode} output of {name}:\n{outcome.output}"
    assert outcome.events == case.expected_events(mode), report
    if mode in lifecycle_cases.HEADLESS:
        assert outcome.exit == case.exit, report
    else:
        assert outcome.error == case.error, report
    text = _plain(outcome.output)
    for line in case.expected_output(mode):
        if line.startswith("! "):
            assert _plain(line[2:]) not in text, report
        else:
            assert _plain(line) in text, report


def _outcome(case: Case, mode: str, folder: Path) -> Outcome:
    if mode == "headless" and case.shares:
        return _together(SHARING.index(case) // TOGETHER)[case.name]
    if mode in lifecycle_cases.HEADLESS:
        return lifecycle_harness.headless(case, folder)
    if case.name not in _sessions:
        _sessions[case.name] = lifecycle_harness.inline(case, folder)
    first, second = _sessions[case.name]
    return first if mode == "inline" or second is None else second


@functools.cache
def _together(number: int) -> dict[str, Outcome]:
    cases = SHARING[number * TOGETHER : (number + 1) * TOGETHER]
    with tempfile.TemporaryDirectory() as folder:
        return lifecycle_harness.together(cases, Path(folder))


def _plain(text: str) -> str:
    """`text` without colours, white space as one blank."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())
