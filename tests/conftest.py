"""What all tests share: runs of notebooks as a person would start them, hypothesis's settings.

There are three tiers. `pytest -m "not slow" -n 2` is for each save: the rules, and each module by itself.
All tests, as the README and CI run them, are for each push: also what needs a process of its own, time
limits, faults and browsers. `--long` is for a release. No rule is tested there only; what it has is more
of the same:

- lifecycle: each case in a process of its own, besides as one notebook among others;
- conformance: as cells, too (else as a module, in which tests/lifecycle has little);
- pytest's options that only change what is shown: one by one, besides several in one run;
- faults: each faulty notebook by itself, besides among others; more chance, more rounds, more cells;
- what teams run in CI: on spawned kernels, besides forked ones;
- what `LONG` below matches: variations of a rule through the same code, each kind with its reason.

With `--kernels spawned` no kernel is a fork.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import configuration, settings

HERE = Path(__file__).parent
SLOW = ("browser/", "ci/", "companion/", "faults/", "field/", "host/",
        "kernel/cells/test_lines.py", "kernel/headless/test_timeouts.py", "kernel/inline/test_live_kernel.py",
        "kernel/results/test_displays.py", "kernel/run/test_reentrancy.py", "outputs/test_runs.py",
        "params/test_runs.py", "test_notebooks.py", "test_platforms.py", "text/")  # fmt: skip
"""Where tests are slow: each starts processes, a server or a browser, or waits for a time limit."""

LONG = {
    r"browser/.*\[notebook\]": "Notebook 7, besides JupyterLab and how it looks in Notebook 7",
    r"browser/.*\[dark\]": "the dark theme, besides the light one",
    r"browser/.*::test_visual_debugger\[setup\]": "in a hook, besides in a test",
    r"browser/test_looks.py::test_narrow.*": "a narrow window, besides a wide one",
    r"(companion|outputs|params|faults/test_(files|user_code))\b.*\[spawned\b.*":
        "spawned kernels, besides forked ones: host/kernels has both",
    r"text/.*::test_places\[options1\]": "spawned kernels, besides forked ones and xdist's workers",
    r"ci/test_files_and_machines.py::test_few_open_files\[.*-S .*": "the soft limit, besides both",
    r"ci/test_coverage.py::.*--cov-branch(-forked)?\]": "branches, besides lines and branches in two kernels",
    r"dask/test_parity.py::test_options\[(?!(-v|-x|-k number|--collect-only -q)\]).*":
        "pytest's options through a cluster: host/test_suite_options.py has them all",
    r"dask/test_parity.py::test_failures_of_the_last_run\[--sw\]": "besides --lf",
    r"dask/test_parity.py::test_the_notebooks_that_teach\[guide\]": "besides the quickstart",
    r"dask/test_bad_input.py::.*\[(127|strange).*": "what is no address, besides one where nobody listens",
    r"dask/test_failures.py::test_a_worker_that_dies_is_told\[15\]": "SIGTERM, besides SIGKILL",
    r"dask/test_failures.py::test_the_only_worker_dies_and_another_joins": "besides a lost notebook that starts again",
    r"faults/test_ends.py::(row|test_death|test_exit_in_\w+)\[.*\b(sigterm|sighup|abort|c_exit|by_a_child|exec|alarm|exit|raise|kernel)\b.*":
        "besides a status, two signals, a thread, and four ways to exit",
    r"faults/test_hangs.py::.*\b(c_code|c_sleep|system|subprocess|keeps|shows|handles|ignores)\b.*":
        "besides seven ways, in Python and in C, that react to an interrupt and that do not",
    r"faults/test_limits.py::test_suspended_run\[cell\]": "besides a test",
    r"faults/test_sabotage.py::.*\b(chdir|fork|pool_spawn|excepthook|print|get_ipython|pytest_functions|main_module"
    r"|reload|sigchld_ignored|sigusr2_default|alarms|no_collection|loop_handler|zmq_context|events|count|no_digits)\b.*":
        "besides fifteen others that change nothing",
    r"faults/test_sabotage.py::.*\b(our_modules|len|isinstance|file_size|session|key|stdin|trace|namespace)\b.*":
        "besides seven others that break the kernel",
    r"faults/test_wire.py::.*\b(nan|unknown_field|too_many_parts|collected_again|report_of_another"
    r"|repeated_another_test|finished_another|(damaged_)?(start|location|sections|user_properties|wasxfail))\b.*":
        "besides ten messages that lie, and five damaged fields",
    r"faults/test_fuzz.py::test_soak": "chance, for a minute",
    r"faults/test_signals.py::test_a_signal_ends_all_soon\[1-.*": "SIGHUP, besides Ctrl-C and SIGTERM",
    r"faults/test_signals.py::test_(an_interrupt_of_cells|what_swallows_interrupts_is_killed)\[spawned\]":
        "besides forked kernels",
    r"faults/test_signals.py::test_a_reader_that_ends\[live\]": "besides captured output",
    r"faults/test_files.py::test_save_after_a_signal\[15\]": "SIGTERM, besides Ctrl-C",
    r"host/kernels/.*::test_a_test_that_signals_its_parent\[SIG(TERM|HUP)\]": "besides SIGSTOP",
    r"host/kernels/.*::test_without_a_home\[(HOME-forked|IPYTHONDIR-spawned)\]": "the other two pairs",
    r"host/running/test_cells.py::test_each_cell_has_its_own_time\[await .*": "besides a cell that does not await",
    r"host/session/test_terminal.py::test_debugger_without_input\[closed\]":
        "besides an input that has ended, and a closed one without debugger",
    r"host/test_suite_options.py::test_several_kernels.*\[(4|auto)\]": "besides two kernels",
    r"host/test_suite_options.py::test_option_means.*"
    r"\[(--maxfail=3|-m\|not slow|test_.*::test_number|--collect-only\|-q\|.*)\]":
        "besides --maxfail=2, -m slow, test_number[2] and --collect-only",
    r"kernel/compat/test_captured.py::test_long_output_keeps_its_ends\[\\(xe9|u8a9e)\]":
        "characters of two and three bytes, besides one and four",
    r"kernel/cells/test_lines.py::test_debugger\[.*":
        "besides a breakpoint in JupyterLab (browser/test_work.py); test_inline has all of these lines",
    r"outputs/test_runs.py::test_as_nbval\[(passes|raises|skipped|streams|frame)\]": "besides two kinds of cells",
    r"params/test_runs.py::test_outcomes_are_papermills\[[2-9]\]": "besides two notebooks",
    r"test_platforms.py::test_a_(test_that_hangs|killed_kernel)\[fakemac\]":
        "besides Windows; on both, kernels come and go",
    r"test_platforms.py::.*\[databricks\]": "a front end without ids, of which there is another",
}  # fmt: skip
"""Tests that only run with `--long`, and what they show it besides: more of the same."""

FIRST = (
    "lifecycle/test_lifecycle.py", "dask/test_parity.py", "browser/test_work.py", "dask/test_failures.py",
    "host/test_suite_options.py", "faults/test_limits.py", "ci/test_coverage.py", "outputs/test_runs.py",
    "dask/test_bad_input.py", "unittest_rules/test_unittest_rules.py", "host/kernels/test_environment.py",
    "text/test_runs.py", "host/kernels/test_forking.py", "test_platforms.py", "test_notebooks.py",
    "test_conformance.py", "host/running/test_cells.py", "faults/test_signals.py", "ci/test_crossing.py",
    "faults/test_files.py", "host/test_cli.py", "faults/test_hangs.py", "faults/test_inputs.py",
    "host/session/test_planning.py", "faults/test_sabotage.py", "faults/test_ends.py",
)  # fmt: skip
"""The files that take longest: xdist's workers begin with them, so that none waits for the other in the end."""

# ipykernel warns on stderr that it speaks TCP without encryption, and debugpy of frozen modules.
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
# Jupyter's data folders follow the platform, which jupyter_core wants to be told.
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")

# The tests start a thousand processes. Where each compiled what it imports, as this variable asks for,
# and rewrote the asserts of all plugins, that would take more than half of their time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# pytest shortens its summary only where these are unset, as at a person's desk; the tests of what is
# printed want one of the two everywhere.
for name in ("CI", "BUILD_NUMBER"):
    os.environ.pop(name, None)

# A shell lets its background jobs ignore Ctrl-C, and all that they start; the tests are of programs
# that do not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# pytest would warn of a folder in the repository that it does not know.
configuration.set_hypothesis_home_dir(tempfile.gettempdir())
# A machine that is busy with kernels makes single examples slow.
settings.register_profile("nbxunit", database=None, deadline=None)
settings.load_profile("nbxunit")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long forms of the tests run."""
    parser.addoption("--long", action="store_true", help="run the long forms of the tests, too")
    parser.addoption("--kernels", choices=["forked", "spawned"], default="forked",
                     help="the kernels in the tests of faults and of the lifecycle")  # fmt: skip
    parser.addoption("--kernel-workers", default="4", metavar="N",
                     help="how many kernels run at once there")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist take the files in the order that stands above, and not by their numbers of tests."""
    config.option.loadscopereorder = False
    if config.getoption("kernels") == "spawned":
        import warm_kernels

        warm_kernels.wanted = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what starts many processes or waits for limits; leave out what is long."""
    long = []
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.path.relative_to(HERE).as_posix()))
    for item in items:
        path = item.path.relative_to(HERE).as_posix()
        if path.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if _is_long(config, f"{path}::{item.name}"):
            long.append(item)
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def _is_long(config: pytest.Config, nodeid: str) -> bool:
    return not config.getoption("long") and any(re.fullmatch(each, nodeid) for each in LONG)


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> Callable[[str], bool]:
    """Whether the test with a node id, from the folder of the tests on, is left to `--long`."""
    return functools.partial(_is_long, pytestconfig)


def _place(path: str) -> int:
    return FIRST.index(path) if path in FIRST else len(FIRST)


def pytest_terminal_summary(terminalreporter) -> None:
    """In a second run of what has failed, name what passes now: it is flaky, and not mended."""
    passed = terminalreporter.stats.get("passed", ())
    if os.environ.get("NBXUNIT_RERUN") and passed:
        terminalreporter.write_sep("=", "flaky: failed at first, and passed now")
        for report in passed:
            terminalreporter.write_line(f"FLAKY {report.nodeid}")
