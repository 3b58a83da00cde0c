"""Results are shown whatever a test has done to what shows the progress of its run."""

from __future__ import annotations

import live
import pytest

SABOTAGE = {
    "uuid": "import uuid\nmonkeypatch.setattr(uuid, 'uuid4', None)",
    "clock": "import time\nmonkeypatch.setattr(time, 'perf_counter', None)",
    "warnings": "import warnings\nwarnings.simplefilter('error')",
    "urandom": "import os\nmonkeypatch.setattr(os, 'urandom', None)",
}
SLOW = "import threading\nthreading.Event().wait(0.8)"
"""So long that a state is shown."""


@pytest.mark.parametrize("name", SABOTAGE)
def test_a_test_replaces_what_progress_uses(shared, name):
    """A test that patches the process, while states are shown, costs no result."""
    shared.run("%xunit_reset", "reset")
    shared.run(f"%%xunit_test test_a(monkeypatch)\n{SABOTAGE[name]}\n{SLOW}", "a")
    shared.run("%%xunit_test test_b\npass", "b")
    reply = shared.run("%xunit_run", "run")
    assert not reply.error, reply.text
    assert "2 passed in" in reply.texts[-1]


def test_progress_has_no_warnings(shared):
    """What the thread that shows states warns of is no warning of the test that runs."""
    shared.run("%xunit_reset", "reset")
    shared.run(f"%%xunit_test test_a\n{SLOW}", "a")
    shared.run("%%xunit_test test_b\npass", "b")
    assert "warning" not in shared.run("%xunit_run", "run").texts[-1]


def test_no_thread_can_start(tmp_path):
    """Where no thread can start, no state is shown, and the results are."""
    with live.started(tmp_path) as kernel:
        kernel.run(
            'import threading\ndef start(thread): raise RuntimeError("can\'t start new thread")'
        )
        kernel.run("%%xunit_test test_a\npass", "a")
        reply = kernel.run(
            "start, threading.Thread.start = threading.Thread.start, start\n"
            "try:\n    get_ipython().run_line_magic('xunit_run', '')\n"
            "finally:\n    threading.Thread.start = start", "run",
        )  # fmt: skip
        assert "1 passed in" in reply.text


def test_no_bytecode_is_written(tmp_path):
    """An inline run writes no __pycache__, which a folder may not be able to have."""
    (tmp_path / "conftest.py").write_text("import pytest\n@pytest.fixture\ndef five(): return 5\n")
    with live.started(tmp_path) as kernel:
        kernel.run("%%xunit_test test_a(five)\nassert five == 5", "a")
        assert "1 passed in" in kernel.run("%xunit_run", "run").text
    assert not (tmp_path / "__pycache__").exists()


def test_a_usage_error_has_no_colours(shared):
    """What pytest has against options is said without its usage, also where Python colours it."""
    shared.run("import os\nos.environ['FORCE_COLOR'] = '1'")
    reply = shared.run("%xunit_run --bogus")
    assert "unrecognized arguments: --bogus" in reply.text
    assert "usage:" not in reply.text
    shared.run("del os.environ['FORCE_COLOR']")
