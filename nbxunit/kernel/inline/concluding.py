"""What comes of an inline run: its results are shown, and what failed raises, where that is wanted.

May import pytest and IPython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nbxunit
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.results import output

if TYPE_CHECKING:
    from nbxunit.kernel.inline.live import LiveNotebook
    from nbxunit.kernel.inline.recording import Outcome
    from nbxunit.kernel.results.model import Results

NAMED = 3
"""Tests that have failed are named up to so many, where only the exception is seen."""


def conclude(live: LiveNotebook, outcome: Outcome, *, of_cell: bool = False) -> None:
    """Show the results. TestsFailed or KeyboardInterrupt as `actions.running` says."""
    results, shown, listing = outcome
    if listing:
        output.show_text(listing)
        if not results.tests and not results.errors and not results.message:
            return
    is_bad = results.status != pytest.ExitCode.OK
    raises = live.raises in (("cells",) if of_cell else ("cells", "run"))
    if is_bad and of_cell and live.raises == "run" and not results.interrupted:
        results.closing = (
            "The notebook goes on. To stop at a test cell that fails: "
            "%xunit_config raise_on_failure=cells"
        )
    shown.finish()
    if results.interrupted:
        raise KeyboardInterrupt(f"interrupted in {results.interrupted}")
    if is_bad and raises:
        _fail(live, results)
    if is_bad and live.run.failure is not None:
        ipython.debug_next(live.notebook.shell, live.run.failure)


def _fail(live: LiveNotebook, results: Results) -> None:
    bad = [test.name for test in results.tests.values() if test.outcome in ("failed", "error")]
    if bad and live.is_a_persons:  # who sees what failed above it
        raise nbxunit.TestsFailed("%xunit_run --lf runs what failed again")
    named = ", ".join([*bad[:NAMED], *(["..."] if len(bad) > NAMED else [])])
    what = results.message.partition("\n")[0] or results.summary().rpartition(" in ")[0]
    if not bad and results.ending:
        what = results.ending
    elif not bad and any(note.startswith("run twice: ") for note in results.notes):
        what = "the second run differs from the first"
    again = "details above; run them again with %xunit_run --lf" if bad else "details above"
    raise nbxunit.TestsFailed(f"{what}{f': {named}' if named else ''} ({again})")


def conclude_opening(live: LiveNotebook, outcome: Outcome) -> None:
    """Say that a scope is open, or closed; where that failed, show how."""
    results = outcome[0]
    if results.status == pytest.ExitCode.OK:
        output.say_notes(results.notes)
        return
    conclude(live, outcome)
