"""Tests may replace clocks, files, `os` and sys.stdin: what runs beside them does not notice."""

from __future__ import annotations

import pytest

MOCKED = (
    "import os, time, uuid, json\nfrom unittest import mock",
    (
        "%%xunit_setup module\nimport nbxunit\n"
        'nbxunit.enter_context(mock.patch("time.perf_counter", side_effect=[1, 2]))'
    ),
    "%%xunit_test test_clock\nassert [time.perf_counter(), time.perf_counter()] == [1, 2]",
    (
        'def test_os():\n    with mock.patch("os.getpid", return_value=1), '
        'mock.patch("os.write", side_effect=OSError), mock.patch("builtins.open", side_effect=OSError), '
        'mock.patch("time.monotonic", return_value=0.0), mock.patch("json.dumps", side_effect=OSError), '
        'mock.patch("uuid.uuid4", side_effect=OSError), mock.patch("pathlib.Path.read_text"):\n'
        '        print("printed")'
    ),
    'patcher = mock.patch("os.getpid", lambda: 1)',
    "@mock.patch('time.time', lambda: 0)\ndef test_started():\n    patcher.start()",
    "def test_stopped():\n    print('here')\n    patcher.stop()",
)
FROZEN = (
    "import datetime, time\nfrom freezegun import freeze_time",
    (
        '@freeze_time("2030-01-01")\ndef test_frozen():\n    time.sleep(0.1)\n'
        "    assert datetime.date.today().year == 2030"
    ),
    '%%xunit_setup module\nimport nbxunit\nnbxunit.enter_context(freeze_time("1999-01-01"))',
    "%%xunit_test test_hook\nassert datetime.date.today().year == 1999",
    "def test_last():\n    print(time.time())",
)
FAKED = (
    (
        'def test_prints(fs):\n    print("printed" * 100)\n    fs.create_file("/a.txt", contents="x")\n'
        '    assert open("/a.txt").read() == "x"'
    ),
    "def test_last(): print('last')",
)
STDIN = (
    "import io, pytest",
    (
        "def test_input(monkeypatch, capsys):\n"
        '    monkeypatch.setattr("sys.stdin", io.StringIO("a\\nb\\n"))\n'
        '    assert input("? ") + input() == "ab"\n'
        '    assert capsys.readouterr().out == "? "\n'
        "    with pytest.raises(EOFError):\n        input()"
    ),
)


def run_inline(kernel, cells):
    for at, cell in enumerate(cells):
        reply = kernel.run(cell, f"cell-{at}")
        assert not reply.error, reply.text
    return kernel.run("%xunit_run").text


def test_mocked_headless(shell):
    """Clocks, files and `os` that tests and hooks mock are theirs alone."""
    shell.write("a.ipynb", *MOCKED)
    done = shell.run("a.ipynb", "--test-timeout", "20")
    assert done.counts == {"passed": 4}, done.output


def test_mocked_inline(kernel):
    """Inline, too."""
    assert "4 passed" in run_inline(kernel, MOCKED)


def test_frozen(shell, kernel):
    """Under freezegun a time limit is measured by the real clock, and hook cells see the frozen one."""
    pytest.importorskip("freezegun")
    shell.write("a.ipynb", *FROZEN)
    done = shell.run("a.ipynb", "--test-timeout", "20")
    assert done.counts == {"passed": 3}, done.output
    assert "3 passed" in run_inline(kernel, FROZEN)


def test_faked(shell, kernel):
    """Under pyfakefs a test may print, and one that hangs is interrupted and fails alone."""
    pytest.importorskip("pyfakefs")
    shell.write("a.ipynb", *FAKED)
    shell.write("b.ipynb", "def test_hangs(fs):\n    while True: pass", FAKED[1])
    done = shell.run("a.ipynb", "b.ipynb", "--test-timeout", "3", width=200)
    assert done.counts == {"passed": 3, "failed": 1}, done.output
    assert "took longer than 3 s and was interrupted" in done.output
    assert "2 passed" in run_inline(kernel, FAKED)


def test_replaced_stdin(shell, kernel):
    """`input()` reads what a test has put in the place of sys.stdin."""
    shell.write("a.ipynb", *STDIN)
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 1}, done.output
    assert "1 passed" in run_inline(kernel, STDIN)


@pytest.mark.parametrize("option", ["", "--pdb"])
def test_debuggers_ask(kernel, option):
    """While no test has replaced sys.stdin, a debugger in a test asks the front end."""
    stop = "pass" if option else "breakpoint()"
    kernel.run("%xunit_config raise_on_failure=off")
    kernel.run(f"def test_a():\n    x = 41\n    {stop}\n    assert not x", "a")
    assert "x + 1 = 42" in kernel.run(f"%xunit_run {option}", answers=["p f'{x + 1 = }'", "q"]).text
