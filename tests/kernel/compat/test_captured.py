"""The files that pytest captures into, read as pytest reads them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import pytest
from _pytest.capture import FDCapture

from nbxunit import limits
from nbxunit.kernel.compat import captured
from nbxunit.kernel.compat import config as pytest_config

MARK = re.compile(r"\n\.\.\. (\d+) characters left out by nbxunit \.\.\.\n")


@contextlib.contextmanager
def capturing(folder):
    """Within, a kernel's capture of `sys.stdout`, and of what else writes to its descriptor."""
    with pytest_config.capture_into(folder):
        capture = FDCapture(1)
    capture.start()
    try:
        yield capture
    finally:
        capture.done()


@pytest.mark.parametrize("char", ["x", "é", "語", "\U0001f600"])
def test_long_output_keeps_its_ends(tmp_path, char):
    """A report has the same excerpt as if all had been kept, and the file stays small."""
    lines = [f"{number} {20 * char}\n" for number in range(600_000)]
    with capturing(tmp_path) as capture:
        for line in lines:
            sys.stdout.write(line)
        size, kept = (tmp_path / "stdout").stat().st_size, capture.snap()
    assert size < captured.LIMIT + 1000
    whole = "".join(lines)
    head, count, tail = MARK.split(kept)
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head) + int(count) + len(tail) == len(whole)
    room = limits.REPORT_LIMIT // limits.SHARE
    assert limits.shortened(kept, room) == limits.shortened(whole, room)


def test_short_output_is_whole(tmp_path):
    """What is not too long is kept, also behind a test whose output was."""
    with capturing(tmp_path) as capture:
        sys.stdout.write(2 * captured.LIMIT * "x")
        long = capture.snap()
        sys.stdout.write("short\n")
        short = capture.snap()
    assert "left out" in long
    assert short == "short\n"


def test_output_of_a_process(tmp_path):
    """What a process has written past the file is cut when it is read."""
    code = (
        f"import os\nfor _ in range(9): os.write(1, {captured.LIMIT} * b'x')\nos.write(1, b'last')"
    )
    with capturing(tmp_path) as capture:
        print("begin")
        subprocess.run([sys.executable, "-c", code], check=True)
        print("end")
        kept = capture.snap()
    head, count, tail = MARK.split(kept)
    assert head.startswith("begin\nxxx")
    assert tail.endswith("xxxlastend\n")
    assert len(head) + int(count) + len(tail) == 9 * captured.LIMIT + len("begin\nlastend\n")
