"""What an interrupt by the host becomes, at whichever moment it comes."""

from __future__ import annotations

import itertools
import signal
import sys

import pytest

from nbxunit import kernel_folder, originals
from nbxunit.kernel.headless import timeouts

pytest_plugins = ["pytester"]

TESTS = """\
import pytest

@pytest.mark.parametrize("moment", range({moments}))
def test_a(over, moment):
    over()
"""
LINES = 1500
"""More than pluggy runs from the end of a test to its last report."""
STEP = 5
"""One line of so many is interrupted; with --long each of them is."""


class LateHost:
    """Interrupts each test some lines later than the one before, as pluggy runs them after its time."""

    def __init__(self, folder, spend, step):
        self._meant = folder / kernel_folder.TIMED_OUT
        self._spend = spend
        self._numbers = itertools.count(step=step)
        self._lines = None
        self.interrupts = 0

    @pytest.fixture
    def over(self):
        """What a test calls to have taken too long."""

        def end():
            self._spend(2)
            self._lines = iter(range(self._number + 1))

        return end

    def pytest_runtest_logstart(self, nodeid):
        """Watch the lines of the test's hooks."""
        self._nodeid, self._number, self._lines = nodeid, next(self._numbers), None
        sys.settrace(self._trace)

    def pytest_runtest_logreport(self, report):
        """Watch no more after its last report."""
        if report.when == "teardown":
            sys.settrace(None)
            self._lines = None

    def _trace(self, frame, event, _):
        if not str(frame.f_globals.get("__name__")).startswith("pluggy."):
            return None
        if event == "line" and self._lines and next(self._lines, None) == self._number:
            self.interrupts += 1
            self._meant.write_text(self._nodeid)
            # As Python does between two lines.
            signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)
        return self._trace


def test_an_interrupt_amid_pluggy(pytester, monkeypatch, tmp_path, pytestconfig):
    """Each test fails for its time, and nothing else does, whichever line of pluggy is interrupted."""
    step = 1 if pytestconfig.getoption("long") else STEP
    moments = LINES // step
    spent = []
    monkeypatch.setattr(originals, "monotonic", lambda: sum(spent))
    host = LateHost(tmp_path, spent.append, step)
    pytester.makepyfile(TESTS.format(moments=moments))
    result = pytester.inline_run(
        "-p", "no:cacheprovider", "--tb=no", plugins=[timeouts.Timeouts(1, None, tmp_path), host]
    )
    assert 0 < host.interrupts < moments
    result.assertoutcome(failed=moments)
