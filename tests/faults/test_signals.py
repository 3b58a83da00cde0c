"""Signals: the run ends soon, with the status of the signal, its files whole, and nothing left."""

from __future__ import annotations

import os
import pty
import signal
import textwrap
import time
from xml.etree import ElementTree as ET

import pytest

BUSY = [
    "import os, time",
    "%%xunit_setup module\nx = 1",
    "%%xunit_teardown module\nopen(f'torn{os.getpid()}', 'w')",
    "def test_0(): pass",
    "def test_1():\n    open(f'began{os.getpid()}', 'w')\n    WAIT",
]
SLEEP = "time.sleep(60)"
SWALLOW = "while True:\n        try: time.sleep(60)\n        except KeyboardInterrupt: pass"
SOON = 10.0
"""Seconds; it takes two at the most, and more on a machine that is busy with other kernels."""


def start(shell, wait: str, *options: str, count: int = 2, **streams: object):
    """Start a run of notebooks, and wait until all of them are in their tests."""
    names = [f"n{number}.ipynb" for number in range(count)]
    for name in names:
        shell.write(name, *(cell.replace("WAIT", wait) for cell in BUSY))
    return started(shell, names, *options, **streams)


def started(shell, names: list[str], *options: str, **streams: object):
    """A run of these notebooks, all of which have told that they began."""
    count = len(names)
    (shell.folder / "tmp").mkdir()
    shell.env["TMPDIR"] = str(shell.folder / "tmp")
    process = shell.start(*names, "-n", str(count), "--junitxml=j.xml", *options, **streams)
    deadline = time.monotonic() + 60
    while len(list(shell.folder.glob("began*"))) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    return process


def ended_soon(shell, process, begin: float) -> str:
    """Within the time, without a process or a temporary file left, and with a whole JUnit file."""
    output = process.communicate(timeout=60)[0]
    assert time.monotonic() - begin < SOON, output
    assert shell.kernels() == []
    assert list((shell.folder / "tmp").iterdir()) == []
    junit = (shell.folder / "j.xml").read_text()
    assert ET.fromstring(junit).find(".//testcase[@name='test_0']") is not None, (output, junit)
    return output


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 2, "n0.ipynb: interrupted at n0.ipynb::test_1"),
        (signal.SIGTERM, 143, "n0.ipynb: ended by SIGTERM at n0.ipynb::test_1"),
        (signal.SIGHUP, 129, "n0.ipynb: ended by SIGHUP at n0.ipynb::test_1"),
    ],
)
def test_a_signal_ends_all_soon(shell, number, status, said):
    """All kernels tear down, and the run ends with the signal's status and a summary."""
    count = 4 if number == signal.SIGTERM else 2
    process = start(shell, SLEEP, count=count)
    begin = time.monotonic()
    process.send_signal(number)
    output = ended_soon(shell, process, begin)
    assert process.returncode == status, output
    assert said in output
    assert f"{count} passed" in output
    assert len(list(shell.folder.glob("torn*"))) == count


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_an_interrupt_of_cells(shell, options):
    """Where cells run, and not tests, all ends as soon; a notebook that was done keeps its results."""
    told = "if 'NBXUNIT_KERNEL' not in os.environ: open('began_told', 'w').close()"
    (shell.folder / "conftest.py").write_text(
        f"import os\ndef pytest_runtest_logfinish():\n    {told}\n"
    )
    shell.write("done.ipynb", BUSY[3])
    shell.write("cell.ipynb", "open('began_cell', 'w')\nimport time; time.sleep(60)", BUSY[3])
    process = started(shell, ["done.ipynb", "cell.ipynb"], *options)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    output = ended_soon(shell, process, begin)
    assert process.returncode == 2, output
    assert "1 passed in" in output, output
    assert "interrupted at" in output


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_what_swallows_interrupts_is_killed(shell, options):
    """A test that does not react is an error that says so, and the run still ends soon."""
    process = start(shell, SWALLOW, *options)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output = ended_soon(shell, process, begin)
    assert process.returncode == 143, output
    assert "what ran did not end within 1 s, so the kernel was killed" in output
    assert "its teardown could not run" in output


def test_a_second_interrupt_ends_at_once(shell):
    """The second Ctrl-C does not wait for teardowns; summary and files are whole all the same."""
    process = start(shell, SWALLOW)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    output = ended_soon(shell, process, begin)
    assert process.returncode == 2, output
    assert "kernel was killed" in output


@pytest.mark.parametrize("tells", [True, False], ids=["hangup", "silent"])
def test_a_closed_terminal(shell, tells):
    """When its terminal goes away, told by SIGHUP or not, the run ends with 129, JUnit written."""
    ours, theirs = pty.openpty()
    process = start(
        shell, SLEEP, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=_take_terminal if tells else None,
    )  # fmt: skip
    os.close(theirs)
    begin = time.monotonic()
    os.close(ours)  # the system sends SIGHUP to the session of the terminal that was taken
    ended_soon(shell, process, begin)
    assert process.returncode == 129
    assert len(list(shell.folder.glob("torn*"))) == 2


def test_hangups_without_end(shell):
    """A shell and its terminal both send SIGHUP: that is no second Ctrl-C, and all tears down."""
    process = start(shell, SLEEP)
    begin = time.monotonic()
    for _ in range(4):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    output = ended_soon(shell, process, begin)
    assert process.returncode == 129, output
    assert len(list(shell.folder.glob("torn*"))) == 2


@pytest.mark.parametrize("options", [(), ("-s",)], ids=["captured", "live"])
def test_a_reader_that_ends(shell, options):
    """When nobody reads its output, as behind `head`, the run ends as at SIGPIPE, JUnit written."""
    chatty = "while True:\n        print('.' * 99); time.sleep(.1)" if options else SLEEP
    process = start(shell, chatty, *options)
    begin = time.monotonic()
    process.stdout.close()
    process.stdout = None
    if not options:  # nothing is written while it is silent for ten seconds
        process.send_signal(signal.SIGINT)
    ended_soon(shell, process, begin)
    assert process.returncode == (128 + signal.SIGPIPE if options else 2)
    assert len(list(shell.folder.glob("torn*"))) == 2


def test_a_reader_that_is_gone_from_the_start(shell):
    """Where nobody ever read its output, nothing runs, and JUnit is written."""
    shell.write("a.ipynb", BUSY[3])
    ours, theirs = os.pipe()
    os.close(ours)
    process = shell.start("a.ipynb", "--junitxml=j.xml", stdout=theirs)
    os.close(theirs)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGPIPE
    assert ET.parse(shell.folder / "j.xml").findall(".//testcase") == []


AMID = """
import os, signal
def pytest_runtest_logreport(report):
    if report.when == 'call':
        os.kill(os.getpid(), signal.SIGTERM)
"""
BEFORE = """
import os, signal
from nbxunit.host.running.spooling import Spool
get = Spool.get
def getting(self, timeout):
    record = get(self, timeout)
    if getattr(record, 'report', {}).get('when') == 'call':
        os.kill(os.getpid(), signal.SIGTERM)
    return record
Spool.get = getting
"""


@pytest.mark.parametrize("hook", [AMID, BEFORE], ids=["amid", "before"])
def test_a_signal_amid_a_report(shell, hook):
    """A report that a signal comes amid, or just before, reaches all plugins; then the run ends."""
    host_only = textwrap.indent(hook, "    ")
    (shell.folder / "conftest.py").write_text(
        f"import os\nif 'NBXUNIT_KERNEL' not in os.environ:\n{host_only}"
    )
    shell.write(
        "a.ipynb", "import time", "def test_0():\n    open('began', 'w')\n    time.sleep(0.5)"
    )
    process = started(shell, ["a.ipynb"])
    output = ended_soon(shell, process, time.monotonic())
    assert process.returncode == 143, output
    assert "1 passed" in output


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
