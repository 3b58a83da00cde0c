"""Where something failed: result, link, traceback, debugger and JUnit say the same cell and line."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET

import live
import nbformat
import pytest
import warm_commands
from nbformat.v4 import new_code_cell, new_notebook

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CASES = {
    "assert": ({"A": "%%xunit_test test_a\nx = 1\n\nassert x == 2"}, "A", 4),
    "several-lines": (
        {"A": "%%xunit_test test_a\nx = 1\nassert (\n    x\n    ==\n    2\n), 'no'\ny = 3"}, "A", 3,
    ),
    "call-over-several-lines": (
        {"H": "def check(*values):\n    assert not values", "A": "%%xunit_test test_a\ncheck(\n  1,\n  2,\n)"},
        "H", 2,
    ),
    "helper": (
        {"H": "import re\n\ndef helper(n):\n    m = n\n    assert m == 5", "A": "%%xunit_test test_a\nhelper(4)"},
        "H", 5,
    ),
    "hook": (
        {"S": "%%xunit_setup module\nx = 1\n\nassert x == 2", "A": "%%xunit_test test_a\npass"}, "S", 4,
    ),
    "teardown": (
        {"S": "\n%%xunit_teardown\nx = 1\nassert x == 2", "A": "%%xunit_test test_a\npass"}, "S", 4,
    ),
    "comment": ({"A": "# xunit: test test_a\n# why\nx = 1\nassert x == 2"}, "A", 4),
    "blank-lines": ({"A": "\n\n%%xunit_test test_a\n\n# why\n\nx = 1\nassert x == 2\n"}, "A", 8),
    "blank-lines-comment": ({"A": "\n\n# xunit: test TestA::test_a\n\nx = 1\nassert x == 2\n"}, "A", 6),
    "shell": ({"A": "%%xunit_test test_a\n!true \\\n  a\ntext = '''\n%%no\n'''\nassert text == 2"}, "A", 7),
    "function": ({"A": "import pytest\n\n\ndef test_a():\n    x = 1\n    assert x == 2", "R": "%xunit_run"}, "A", 6),
    "below-a-magic": (
        {"H": "\n%%time\n\n\ndef helper():\n    assert 1 == 2\n", "A": "%%xunit_test test_a\nhelper()"}, "H", 6,
    ),
    "awaits": ({"A": "%%xunit_test test_a\nimport asyncio\nawait asyncio.sleep(0)\nassert 1 == 2"}, "A", 4),
}  # fmt: skip
"""The cells of a notebook, the one that fails, and its line."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("%xunit_config run_cells=True", "config")
        yield kernel


@pytest.fixture(scope="module")
def debugged(tmp_path_factory):
    """A kernel to which a debugger is attached, as JupyterLab does."""
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("%xunit_config run_cells=True", "config")
        kernel.run("%%xunit_test test_first\npass", "A")  # imports are slow under a debugger
        kernel.debug(
            "initialize", clientID="test", adapterID="", linesStartAt1=True, columnsStartAt1=True,
            pathFormat="path", supportsVariableType=True,
        )  # fmt: skip
        kernel.debug("attach")
        yield kernel


def execute(kernel, cells):
    """Run the cells from a clean state; the number of each, and what the last one shows."""
    kernel.run("%reset -f\n%xunit_reset", "reset")
    numbers, reply = {}, None
    for name, source in cells.items():
        reply = kernel.run(source, name)
        (shown,) = [each for each in reply.messages if each["msg_type"] == "execute_input"]
        numbers[name] = shown["content"]["execution_count"]
    return numbers, reply


@pytest.mark.parametrize("case", CASES)
def test_inline(kernel, case):
    """The text, the HTML, its link, the marked line, pytest's report and IPython's traceback agree."""
    cells, failing, line = CASES[case]
    numbers, reply = execute(kernel, cells)
    number = numbers[failing]
    place = f"notebook.ipynb cell {number}, line {line}"
    assert re.search(rf"(?:^| ){re.escape(place)}: AssertionError$", reply.texts[0], re.MULTILINE)
    header = rf'Cell <a href="#cell-id={failing}">\[{number}\]</a>, line {line}\b'
    excerpt = reply.html[[match.end() for match in re.finditer(header, reply.html)][-1] :]
    marked = re.search(r'<span class="n"> *(\d+) ▸ </span>(.*?)</pre>', excerpt)
    assert marked
    assert int(marked[1]) == line
    assert marked[2] == cells[failing].split("\n")[line - 1]
    assert f"\n{place}: AssertionError" in excerpt
    traceback = re.sub(r"\x1b\[[\d;]*m", "", kernel.run("%tb", "tb").text)
    assert re.findall(r"Cell In\[(\d+)\], line (\d+)", traceback)[-1] == (str(number), str(line))


@pytest.mark.parametrize("case", ["helper", "hook", "blank-lines"])
def test_debugger(debugged, case):
    """A breakpoint at the line that will fail stops there, in the cell's own code."""
    cells, failing, line = CASES[case]
    execute(debugged, cells)
    path = debugged.debug("dumpCell", code=cells[failing])["sourcePath"]
    source = {"path": path}
    debugged.debug(
        "setBreakpoints", source=source, breakpoints=[{"line": line}], sourceModified=False
    )
    debugged.debug("configurationDone")
    last = list(cells)[-1]
    frame = debugged.stops_at(cells[last], last)
    debugged.debug("setBreakpoints", source=source, breakpoints=[], sourceModified=False)
    assert (frame["source"]["path"], frame["line"]) == (path, line)


def test_junit(tmp_path):
    """JUnit's report of the same cells, executed headless, names them by their numbers there."""
    for case, (cells, _, _) in CASES.items():
        sources = ["%load_ext nbxunit", *cells.values()]
        notebook = new_notebook(cells=[new_code_cell(each) for each in sources], metadata=METADATA)
        nbformat.write(notebook, tmp_path / f"{case}.ipynb")
    words = ["run", "-n", "2", "--junitxml=report.xml", "-p", "no:cacheprovider"]
    warm_commands.run("nbxunit", words, cwd=tmp_path, env=os.environ, timeout=180)
    told = {}
    for found in ET.parse(tmp_path / "report.xml").iter("testcase"):
        for kind in ("failure", "error"):
            for each in found.iter(kind):
                place = re.findall(
                    r"(\S+)\.ipynb cell (\d+), line (\d+): AssertionError", each.text
                )[-1]
                told[place[0]] = (int(place[1]), int(place[2]))
    assert told == {
        case: (list(cells).index(failing) + 2, line)
        for case, (cells, failing, line) in CASES.items()
    }
