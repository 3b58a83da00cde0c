"""Time, output and files: what is too much is cut and told, and what was known is kept."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import pytest

LAST = "def test_last(): pass"
WAITS = """\
import asyncio, nbxunit
async def inner(): await asyncio.sleep(60)
async def test_a():
    nbxunit.add_cleanup(print, "cleaned up")
    await inner()
"""


def test_stacks_of_a_cell_that_hangs(shell):
    """The report of a cell that took too long says where it was, and the next notebook runs."""
    shell.write("a.ipynb", "import time", "def f():\n    time.sleep(60)\nf()", LAST)
    shell.write("b.ipynb", LAST)
    result = shell.run("a.ipynb", "b.ipynb", "--cell-timeout", "2")
    assert (result.exit, result.counts) == (1, {"passed": 1, "error": 1}), result.output
    assert "a.ipynb cell 2: cell 2 took longer than 2 s and was interrupted" in result.output
    assert "cell 2, line 3, in <module>\n  cell 2, line 2, in f\n" in result.output


def test_stacks_of_a_test_that_awaits(shell):
    """The report of a test that took too long says in what it waited; it is torn down."""
    shell.write("a.ipynb", WAITS, LAST)
    result = shell.run("a.ipynb", "--test-timeout", "2")
    assert (result.exit, result.counts) == (1, {"passed": 1, "failed": 1}), result.output
    assert "cell 1, line 5, in test_a\n  cell 1, line 2, in inner\n" in result.output
    assert "cleaned up" in result.output


def test_notebook_that_takes_too_long(shell):
    """With --notebook-timeout the test that runs is an error, and so are those behind it."""
    cells = ["import time", "def test_a(): pass", "def test_b(): time.sleep(60)", LAST]
    shell.write("a.ipynb", *cells, "%%xunit_teardown module\nopen('torn', 'w')")
    shell.write("b.ipynb", LAST)
    result = shell.run("a.ipynb", "b.ipynb", "--notebook-timeout", "8", width=120)
    assert (result.exit, result.counts) == (1, {"passed": 2, "error": 2}), result.output
    assert "ERROR a.ipynb::test_b - the notebook took longer than 8 s" in result.output
    assert "ERROR a.ipynb::test_last - not run: the notebook took longer than 8 s" in result.output
    assert "in test_b" in result.output
    assert (shell.folder / "torn").exists()
    assert shell.kernels() == []


def peak_of(shell, *args: str) -> tuple[int, str]:
    """A run's most memory, in MB, and its output."""
    output, peak = shell.folder / "output", 0
    with output.open("w") as file:
        process = shell.start(*args, stdout=file)
        while process.poll() is None:
            time.sleep(0.02)
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                continue
            found = re.search(r"VmHWM:\s*(\d+)", status)
            peak = max(peak, int(found[1]) // 1024) if found else peak
    return peak, output.read_text(errors="replace")


@pytest.mark.parametrize(
    "cells",
    [
        ["for _ in range(200): print('x' * 999_999)\nassert 0"],
        ["def test_a():\n    for _ in range(200): print('x' * 999_999)\n    assert 0"],
        ["print('x' * 200_000_000)\nassert 0"],
        ["def test_a():\n    print('x' * 200_000_000)\n    assert 0"],
        ["import os\nfor _ in range(200): os.write(1, b'x' * 1_000_000)\nassert 0"],
        ["raise ValueError('x' * 100_000_000)"],
        ["def test_a(record_property):\n    record_property('a', 'x' * 100_000_000)\n    assert 0"],
        ["import pytest", "@pytest.mark.parametrize('n', range(60))\ndef test_a(n): assert print('x' * 3_000_000)"],
        ["display({'image/png': 'A' * 50_000_000}, raw=True)\nassert 0"],
        ["def test_a():\n    display({'image/png': 'A' * 50_000_000}, raw=True)\n    assert 0"],
    ],
    ids=["cell", "test", "cell_at_once", "test_at_once", "descriptor", "exception", "property", "tests", "image",
         "image_in_test"],
)  # fmt: skip
def test_output_is_bounded(shell, cells):
    """However much is printed or shown, the host stays small and the report short, and marked."""
    shell.write("a.ipynb", *cells)
    peak, output = peak_of(shell, "a.ipynb")
    assert re.search("(1|60) failed|1 error", output), output[-2000:]
    assert len(output) < 40_000_000
    assert "left out by nbxunit" in output or "image" in cells[0] or "property" in cells[0]
    assert peak < 200


UPDATES = """\
handle = display("0", display_id="a")
for at in range(100_000): display(str(at), display_id="a", update=True)
display("behind")
"""


def test_many_updates(shell):
    """Of a hundred thousand updates of an output the last one counts, and they take no minute."""
    shell.write("a.ipynb", UPDATES, LAST)
    result = shell.run("a.ipynb", "--save", "out", timeout=120)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    cell = json.loads((shell.folder / "out" / "a.ipynb").read_text())["cells"][0]
    texts = [
        "".join(output["data"]["text/plain"]) for output in cell["outputs"] if "data" in output
    ]
    assert texts == ["'99999'", "'behind'"]
    assert result.seconds < 60


LATE = """\
import subprocess, threading, time
def shout():
    while True: print("from a thread"); time.sleep(0.01)
threading.Thread(target=shout, daemon=True).start()
process = subprocess.Popen(["sh", "-c", "while true; do echo from a process; sleep 0.05; done"])
"""


def test_output_after_the_end(shell):
    """What threads and processes print behind their cell's end breaks nothing, and ends with the run."""
    shell.write(
        "a.ipynb", LATE, "time.sleep(0.5)", "def test_a():\n    time.sleep(0.5)\n    assert 0", LAST
    )
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (1, {"failed": 1, "passed": 1}), result.output
    assert "from a thread" in result.output
    assert shell.kernels() == []


WIDGETS = """\
from comm import create_comm
comms = [create_comm(target_name="jupyter.widget", data={"state": {"value": 1}}) for _ in range(200)]
for at in range(10_000): comms[0].send({"method": "update", "state": {"value": at}}, buffers=[b"x" * 1000])
print("one\\rtwo")
"""


def test_widgets_and_carriage_returns(shell):
    """Messages of widgets are nothing to report, and a carriage return stays what it is."""
    shell.write("a.ipynb", WIDGETS, LAST)
    result = shell.run("a.ipynb", "--save", "out")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    saved = json.loads((shell.folder / "out" / "a.ipynb").read_text())
    assert "one\rtwo\n" in "".join(saved["cells"][0]["outputs"][0]["text"])


SHOUTS = r"""
def test_a():
    print("\x1b[31mred\x1b]0;title\x07\r\x00 \ud800")
    assert 0, "\x1b[32mgreen\x00\ud800"
"""


def test_no_control_sequence_comes_through(shell):
    """What a test or a cell prints cannot write to the terminal, nor break the XML."""
    shell.write("a.ipynb", SHOUTS)
    shell.write("b.ipynb", "print('\\x1b[31mred\\x1b]0;title\\x07')\nassert 0")
    result = shell.run("a.ipynb", "b.ipynb", "--junitxml=j.xml")
    assert result.counts == {"failed": 1, "error": 1}, result.output
    for text in (result.output, (shell.folder / "j.xml").read_text()):
        assert "red" in text
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text)


def test_save(shell):
    """The executed notebook has outputs and results, also those before a death; the source stays."""
    source = shell.write(
        "a.ipynb", "print('hello')", "%%xunit_test test_a\nassert 1", "%%xunit_test test_b\nassert 0",
        "import os\ndef test_c(): os._exit(3)", LAST,
    )  # fmt: skip
    source.chmod(0o640)
    before = source.read_bytes()
    assert shell.run("a.ipynb", "--save", "out").exit == 1
    saved = shell.folder / "out" / "a.ipynb"
    outputs = [json.dumps(cell["outputs"]) for cell in json.loads(saved.read_text())["cells"]]
    assert "hello" in outputs[0]
    assert "PASSED test_a" in outputs[1]
    assert "FAILED test_b" in outputs[2]
    assert "the kernel died (exit status 3)" in "".join(outputs)
    assert (source.read_bytes(), saved.stat().st_mode & 0o777) == (before, 0o640)
    assert [path.name for path in saved.parent.iterdir()] == ["a.ipynb"]


def test_save_never_touches_the_source(shell):
    """A folder in which the executed notebook would be the source is an error."""
    source = shell.write("a.ipynb", LAST)
    before = source.read_bytes()
    result = shell.run("a.ipynb", "--save", ".")
    assert (result.exit, source.read_bytes()) == (1, before)
    assert "is the notebook itself, which a run does not change" in result.output


def test_no_room_for_the_file(shell):
    """A disk that is full is an error of the notebook; the old file stays whole, and nothing beside it."""
    shell.write("a.ipynb", "print('x' * 100_000)", LAST)
    assert shell.run("a.ipynb", "--save", "out").exit == 0
    saved = shell.folder / "out" / "a.ipynb"
    before = saved.read_bytes()
    shell.write("a.ipynb", "print('y' * 900_000)", LAST)
    # A limit of the system for this process: what would be longer cannot be written.
    shell.launcher = ["prlimit", "--fsize=500000"]
    result = shell.run("a.ipynb", "--save", "out", "-p", "no:cacheprovider")
    assert result.exit == 1, result.output
    assert "cannot be written" in result.output
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["a.ipynb"]


def test_save_is_old_or_new(shell):
    """A run that is killed at any moment leaves the old file or the new one."""
    shell.write("a.ipynb", "print('x' * 900_000)", LAST)
    assert shell.run("a.ipynb", "--save", "out").exit == 0
    saved = shell.folder / "out" / "a.ipynb"
    for tenths in range(6, 30, 4):
        process = shell.start("a.ipynb", "--save", "out")
        time.sleep(tenths / 10)
        process.kill()
        process.communicate()
        assert "xxx" in json.dumps(json.loads(saved.read_text())["cells"][0]["outputs"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_save_after_a_signal(shell, number):
    """What ran until the run was ended is in the saved notebook."""
    hangs = "import time\ndef test_b():\n    open('began', 'w').close()\n    time.sleep(60)"
    shell.write("a.ipynb", "print('hello')", "%%xunit_test test_a\npass", hangs)
    process = shell.start("a.ipynb", "--save", "out")
    deadline = time.monotonic() + 60
    while not (shell.folder / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode in (2, 143), output
    saved = json.dumps(json.loads((shell.folder / "out" / "a.ipynb").read_text())["cells"])
    assert "hello" in saved
    assert "PASSED test_a" in saved
