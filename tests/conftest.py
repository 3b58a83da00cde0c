"""What all tests share: runs of notebooks as a person would start them, hypothesis's settings.

There are three tiers. `pytest -m "not slow" -n 2` is for each save: the rules, and each module by itself.
All tests, as the README and CI run them, are for each push: also what needs a process of its own, time
limits, faults and browsers. `--long` is for a release. No rule is tested there only; what it has is more
of the same:

- lifecycle: each case in a process of its own, besides as one notebook among others;
- conformance: cells headless, too (else inline; headless as a module);
- pytest's options that only change what is shown: one by one, besides several in one run;
- faults: each faulty notebook by itself, besides among others; more chance, more rounds, more cells;
- what teams run in CI: on spawned kernels, besides forked ones;
- what stands in `LONG` below: the guides through a cluster, besides the other notebooks; a soak of faults;
  the visual debugger in a hook, besides in a test; the life of a cell in Notebook 7, besides in JupyterLab.

With `--kernels spawned` no kernel is a fork.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import configuration, settings

HERE = Path(__file__).parent
SLOW = ("browser/", "ci/", "companion/", "faults/", "field/", "host/",
        "kernel/cells/test_lines.py", "kernel/headless/test_timeouts.py", "kernel/inline/test_live_kernel.py",
        "kernel/results/test_displays.py", "kernel/run/test_reentrancy.py", "outputs/test_runs.py",
        "params/test_runs.py", "test_notebooks.py", "test_platforms.py", "text/")  # fmt: skip
"""Where tests are slow: each starts processes, a server or a browser, or waits for a time limit."""

LONG = ("dask/test_parity.py::test_the_notebooks_that_teach[guide]", "faults/test_fuzz.py::test_soak",
        "browser/test_work.py::test_visual_debugger[setup]",
        "browser/test_work.py::test_the_life_of_a_cell[notebook]")  # fmt: skip
"""More of what other tests show in less time; only run with `--long`."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what starts many processes or waits for limits; leave out what is long."""
    long = []
    for item in items:
        path = item.path.relative_to(HERE).as_posix()
        if path.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if f"{path}::{item.name}" in LONG and not config.getoption("long"):
            long.append(item)
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter) -> None:
    """In a second run of what has failed, name what passes now: it is flaky, and not mended."""
    passed = terminalreporter.stats.get("passed", ())
    if os.environ.get("NBXUNIT_RERUN") and passed:
        terminalreporter.write_sep("=", "flaky: failed at first, and passed now")
        for report in passed:
            terminalreporter.write_line(f"FLAKY {report.nodeid}")
