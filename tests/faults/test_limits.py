"""Time, output and files: what is too much is cut and told, and what was known is kept."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import pytest
from many import LAST, Batch


@pytest.fixture(scope="module")
def late(shells):
    """Notebooks that take longer than they may, in tests and in cells, and a sound one behind them."""
    shell = shells()
    sleeps = ["import ctypes, time", "def test_a(): pass", "def test_b(): CODE", LAST]
    torn = "%%xunit_teardown module\nopen('torn', 'w')"
    for name, code in (("python", "time.sleep(99)"), ("c", "ctypes.CDLL(None).sleep(99)")):
        shell.write(f"{name}.ipynb", *(cell.replace("CODE", code) for cell in (*sleeps, torn)))
    shell.write("cells.ipynb", "print('hello')", *["import time; time.sleep(4)"] * 9, LAST)
    return Batch(shell, "--notebook-timeout", "6", "--save", "out", "--ignore=out")


def test_notebook_that_takes_too_long(late):
    """The test that runs is an error, and so are those behind it; what ran is saved, and torn down."""
    late.went_on()
    told = late.told("python")
    assert told.counts == {"passed": 1, "error": 2}, told.text
    assert "python.ipynb::test_b: the notebook took longer than 6 s" in told.text
    assert "python.ipynb::test_last: not run: the notebook took longer than 6 s" in told.text
    assert "in test_b" in told.text
    assert (late.folder / "torn").exists()
    assert "test_a  passed" in (late.folder / "out/python.ipynb").read_text()


def test_notebook_that_the_signal_ends(late):
    """Where the signal that asks what it does ends what takes too long, it is an error all the same."""
    told = late.told("c")
    assert told.counts["error"] >= 1, told.text
    assert "the notebook took longer than 6 s" in told.text


def test_cells_that_take_too_long_together(late):
    """The cell that runs is an error that says so; what ran before is saved."""
    told = late.told("cells")
    assert told.counts == {"error": 1}, told.text
    assert "the notebook took longer than 6 s" in told.text
    assert "hello" in (late.folder / "out/cells.ipynb").read_text()


@pytest.mark.skipif(
    pytest.version_tuple < (9,), reason="faulthandler_exit_on_timeout is pytest 9's"
)
def test_faulthandler_times_tests(shell):
    """The time in faulthandler_timeout is for each test, in its kernel, and not for a whole notebook."""
    test = "def test_NAME(): __import__('time').sleep(1)"
    shell.write("a.ipynb", *(test.replace("NAME", name) for name in "abc"))
    shell.write("b.ipynb", "def test_a(): __import__('time').sleep(60)")
    options = ("faulthandler_timeout=2", "faulthandler_exit_on_timeout=true")
    result = shell.run(".", *(word for option in options for word in ("-o", option)))
    assert result.counts == {"passed": 3, "error": 1}, result.output
    assert "while it ran b.ipynb::test_a" in result.output


def peak_of(shell, *args: str) -> tuple[int, str]:
    """The most memory of a host, in MB, and its output."""
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


OUTPUTS = {
    "cell": ["for _ in range(200): print('x' * 999_999)\nassert 0"],
    "cell_at_once": ["print('x' * 200_000_000)\nassert 0"],
    "test": ["def test_a():\n    for _ in range(200): print('x' * 999_999)\n    assert 0"],
    "test_at_once": ["def test_a():\n    print('x' * 200_000_000)\n    assert 0"],
    "descriptor": ["import os\nfor _ in range(200): os.write(1, b'x' * 1_000_000)\nassert 0"],
    "exception": ["raise ValueError('x' * 100_000_000)"],
    "property": [
        "def test_a(record_property):\n    record_property('a', 'x' * 100_000_000)\n    assert 0"
    ],
    "image": ["display({'image/png': 'A' * 50_000_000}, raw=True)\nassert 0"],
    "metadata": ["display(1, metadata={'x': 'y' * 100_000_000})\nassert 0"],
    "image_in_test": [
        "def test_a():\n    display({'image/png': 'A' * 50_000_000}, raw=True)\n    assert 0"
    ],
}
MANY = "@__import__('pytest').mark.parametrize('n', range(32))\ndef test_a(n): assert print('x' * 1_100_000)"


def test_output_is_bounded(shell):
    """However much is printed or shown, the host stays small and its report short, and marked."""
    for name, cells in OUTPUTS.items():
        shell.write(f"{name}.ipynb", *cells, LAST)
    peak, output = peak_of(shell, ".")
    assert re.search("4 failed, 4 passed, 6 errors", output), output[-2000:]
    assert len(output) < 20_000_000
    assert output.count("left out by nbxunit") >= 6  # but for images and the property
    assert peak < 200


@pytest.mark.parametrize("begin", ["if 1:", "def test_a():"], ids=["cell", "test"])
def test_suspended_run(shell, begin):
    """Time in which nbxunit itself stood still, as after Ctrl-Z, is no time of what ended meanwhile."""
    shell.write(
        "a.ipynb", f"{begin}\n    open('began', 'w').close(); __import__('time').sleep(1)", LAST
    )
    process = shell.start("a.ipynb", "--cell-timeout", "2", "--test-timeout", "2")
    while process.poll() is None and not (shell.folder / "began").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    process.send_signal(signal.SIGCONT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output


FLOOD = """
import os, resource
def teardown_function(function):
    open(f"torn {function.__name__}", "w").close()
def test_much():
    for _ in range(100): print('x' * 999_999)
    assert os.fstat(1).st_size < 20_000_000
def test_endless():
    exec("while True: print('x' * 1000)")
def test_memory():
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 300_000
"""


def test_kernel_is_bounded(shell):
    """Tests that print without end fill neither the disk nor the kernel's memory, and are torn down."""
    shell.write("a.ipynb", FLOOD)
    result = shell.run("a.ipynb", "--test-timeout", "5")
    assert "1 failed, 2 passed" in result.output, result.output[-2000:]
    assert "took longer than 5 s and was interrupted" in result.output
    assert (shell.folder / "torn test_endless").exists()


def test_reports_are_bounded(shell):
    """Also what many tests have printed together, in one notebook or in several."""
    for name in "abcdef":
        shell.write(f"{name}.ipynb", MANY)
    peak, output = peak_of(shell, ".")
    assert "192 failed" in output[-2000:]
    assert "left out by nbxunit" in output
    assert len(output) < 40_000_000
    assert peak < 200


TOLD = {
    "warnings": """
def test_a():
    for at in range(1500): __import__("warnings").warn(f"{at} {'x' * 99_000}")
""",
    "properties": """
@__import__("pytest").mark.parametrize("n", range(20))
def test_a(n, record_property): record_property("key", list(range(200_000)))
""",
    "keywords": """
@__import__("pytest").mark.parametrize("n", range(60))
def test_a(n, request): request.node.keywords[f"{n}{'x' * 2_000_000}"] = 1
""",
    "causes": """
def test_a():
    error = None
    for _ in range(6):
        cause, error = error, ValueError("x" * 1_000_000)
        error.__cause__ = cause
    raise error
@__import__("pytest").mark.xfail(strict=True)
def test_b(): test_a()
""",
}


def test_what_else_reports_tell_is_bounded(shell):
    """Warnings, properties, keywords and causes are cut, and their reports are none the less whole."""
    for name, cell in TOLD.items():
        shell.write(f"{name}.ipynb", cell)
    peak, output = peak_of(shell, ".", "--tb=line", "--junitxml=j.xml")
    assert "1 failed, 81 passed, 1 xfailed, 1500 warnings" in output[-2000:]
    assert len(output) < 10_000_000
    assert "left out by nbxunit" in output
    assert "[0, 1, 2," in (shell.folder / "j.xml").read_text()
    assert peak < 200


def test_wide_characters_count_as_much_as_they_take(shell):
    """A host stays as small where cells print emoji, also one that it writes down."""
    prints = "print('x')\nfor _ in range(3): print('\\U0001f600' * 999_999)"
    shell.write("a.ipynb", *[prints] * 50, LAST)
    peak, output = peak_of(shell, "a.ipynb", "--save", "out")
    assert "1 passed" in output
    assert "left out by nbxunit" in (shell.folder / "out/a.ipynb").read_text()
    assert peak < 265


UPDATES = """\
handle = display("0", display_id="a")
for at in range(COUNT): display(str(at), display_id="a", update=True)
display("behind")
"""
LATE = """\
import subprocess, threading, time
def shout():
    while True: print("from a thread"); time.sleep(0.01)
threading.Thread(target=shout, daemon=True).start()
process = subprocess.Popen(["sh", "-c", "while true; do echo from a process; sleep 0.05; done"])
"""
WIDGETS = """\
from comm import create_comm
comms = [create_comm(target_name="jupyter.widget", data={"state": {"value": 1}}) for _ in range(200)]
for at in range(10_000): comms[0].send({"method": "update", "state": {"value": at}}, buffers=[b"x" * 1000])
print("one\\rtwo")
"""


@pytest.fixture(scope="module")
def updates(pytestconfig):
    """How often an output is updated."""
    return 100_000 if pytestconfig.getoption("long") else 20_000


@pytest.fixture(scope="module")
def shown(shells, updates):
    """Notebooks that show in unusual ways, saved."""
    shell = shells()
    shell.write("updates.ipynb", UPDATES.replace("COUNT", str(updates)), LAST)
    fails = "def test_a():\n    time.sleep(0.5)\n    assert 0"
    shell.write("late.ipynb", LATE, "time.sleep(0.5)", fails, LAST)
    shell.write("widgets.ipynb", WIDGETS, LAST)
    return Batch(shell, "--save", "out", "--ignore=out")


def saved_cell(batch, name: str) -> dict:
    """The first cell of a saved notebook."""
    return json.loads((batch.folder / "out" / f"{name}.ipynb").read_text())["cells"][0]


def test_many_updates(shown, updates):
    """Of very many updates of an output the last one counts, and a hundred thousand take no minute."""
    told = shown.told("updates")
    assert told.counts == {"passed": 1}, told.text
    outputs = saved_cell(shown, "updates")["outputs"]
    texts = ["".join(output["data"]["text/plain"]) for output in outputs if "data" in output]
    assert texts == [f"'{updates - 1}'", "'behind'"]
    assert told.seconds < 60


def test_output_after_the_end(shown):
    """What threads and processes print behind their cell's end breaks nothing, and ends with the run."""
    shown.went_on()
    told = shown.told("late")
    assert told.counts == {"failed": 1, "passed": 1}, told.text
    assert "from a thread" in told.text


def test_widgets_and_carriage_returns(shown):
    """Messages of widgets are nothing to report, and a carriage return stays what it is."""
    told = shown.told("widgets")
    assert told.counts == {"passed": 1}, told.text
    assert "one\rtwo\n" in "".join(saved_cell(shown, "widgets")["outputs"][0]["text"])


SHOUTS = r"""
def test_a():
    print("\x1b[31mred\x1b]0;title\x07\r\x00 \ud800 \u202e\u2066")
    assert 0, "\x1b[32mgreen\x00\ud800"
"""


def test_no_control_sequence_comes_through(shell):
    """What a test or a cell prints cannot write to the terminal, nor break the XML."""
    shell.write("a.ipynb", SHOUTS)
    shell.write("b.ipynb", "print('\\x1b[31mred\\x1b]0;title\\x07')\nassert 0")
    shell.write("c.ipynb", "raise type('\\x1b[31mred', (Exception,), {})  # \x1b[31m")
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "--junitxml=j.xml")
    assert result.counts == {"failed": 1, "error": 2}, result.output
    for text in (result.output, (shell.folder / "j.xml").read_text()):
        assert "red" in text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
