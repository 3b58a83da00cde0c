"""What a person does in JupyterLab and Notebook 7, and what comes of it."""

from __future__ import annotations

import re

import lab
import pytest

LOAD = "%load_ext nbxunit"


@pytest.fixture(params=["jupyterlab", "notebook"])
def front_end(request):
    """JupyterLab, then Notebook 7."""
    if request.param == "jupyterlab":
        return request.getfixturevalue("server")
    return request.getfixturevalue("notebook_server")


@pytest.fixture
def opened(server, page_of, request):
    """Opens a notebook with these cells in JupyterLab."""

    def make(cells, on=server):
        # Another name for each, so that none finds the kernel of the one before.
        name = re.sub(r"\W+", "-", request.node.name) + ".ipynb"
        on.write(name, cells)
        page = lab.Lab(page_of(), on)
        page.open(name)
        return page

    return make


def test_the_life_of_a_cell(opened, front_end):
    """Registered, run, edited, split, deleted, undone, reloaded: the kernel knows what is true."""
    page = opened(
        {
            "load": LOAD,
            "setup": "%%xunit_setup module\nstate = []",
            "a": "%%xunit_test test_a\nassert state == []",
            "b": "%%xunit_test test_b\nx = 1\nassert x",
            "list": "%xunit_list",
        },
        front_end,
    )
    page.run_all()
    page.sees(1, "registered")
    page.sees(2, "✓ test_a passed")
    page.sees(4, "test_b")
    page.edit(2, "%%xunit_test test_a\nassert state == [1]")
    page.run(2)
    page.sees(2, "✗ test_a failed", "assert [] == [1]", "line 2")
    page.split(3, 2)  # the lower part keeps the id, the upper one is new
    page.run(3)
    page.sees(3, "✓ test_b passed")
    page.edit(4, "y = 1")
    page.run(4)
    page.run(5)
    page.sees(5, "✗ test_a", "✓ test_b")
    page.delete(2)
    page.run(4)
    page.sees(4, "test_b", without="test_a")
    page.select(1)
    page.command("notebook:undo-cell-action")
    page.run(2)
    page.run(5)
    page.sees(5, "✗ test_a", "✓ test_b")
    page.save()
    page.page.reload()
    page.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_kernel()
    page.run(5)
    page.sees(5, "✗ test_a", "✓ test_b")


def test_links_lead_to_cells(opened):
    """A click on a cell's number brings that cell into sight."""
    filler = {f"filler-{number}": "\n" * 12 for number in range(12)}
    page = opened(
        {"load": LOAD, "a": "%%xunit_test test_a\nassert False", **filler, "run": "%xunit_run"}
    )
    page.run(0)
    page.run(1)
    last = page.count() - 1
    page.run(last)
    page.sees(last, "✗ test_a failed")
    page.cell(last).scroll_into_view_if_needed()
    hidden = "() => document.querySelectorAll('.jp-Cell')[1].getBoundingClientRect().bottom < 0"
    page.page.wait_for_function(hidden)
    page.cell(last).locator("a[href='#cell-id=a']").first.click()
    page.page.wait_for_function(hidden.replace("< 0", "> 0"))


def test_stop_button(opened, front_end):
    """The stop button ends the test, tears down, says which test it was, and stops "Run all"."""
    page = opened(
        {
            "load": LOAD,
            "teardown": '%%xunit_teardown module\nfrom pathlib import Path\nPath("torn-down").touch()',
            "long": '%%xunit_test test_long\nimport time\nfrom pathlib import Path\nPath("begun").touch()\n'
            "while True:\n    time.sleep(0.05)",
            "after": "print('not to be seen')",
        },
        front_end,
    )
    page.run_all(wait=False)
    page.waits_for((front_end.root / "begun").exists)
    page.command("notebook:interrupt-kernel")
    page.sees(2, "interrupted in test_long", "KeyboardInterrupt")
    page.wait_kernel()
    assert (front_end.root / "torn-down").exists()
    assert page.output(3) == ""
    page.edit(3, "print('works again')")
    page.run(3)
    page.sees(3, "works again")
    for name in ("begun", "torn-down"):
        (front_end.root / name).unlink()


def test_prompt_in_a_test(opened, front_end):
    """A breakpoint in the code of a test stops with a prompt that sees the test's variables."""
    is_lab = front_end.path == "doc/tree"
    stop = "breakpoint()" if is_lab else "import pdb; pdb.set_trace()"
    page = opened(
        {"load": LOAD, "a": f"%%xunit_test test_a\nx = 41\n{stop}\nassert x == 41"}, front_end
    )
    page.run(0)
    page.run(1, wait=False)
    page.answers(1, "p x + 1")
    page.sees(1, "42")
    page.answers(1, "c")
    page.sees(1, "✓ test_a passed")


def test_post_mortem(opened):
    """`%debug` after a failure lands in the failing frame; `--pdb` stops there at once."""
    cells = {
        "load": LOAD,
        "helper": "def helper(n):\n    inner = n * 2\n    assert inner == 5",
        "a": "%%xunit_test test_a\nmine = 4\nhelper(mine)",
        "debug": "%debug",
        "pdb": "%xunit_run --pdb test_a",
    }
    page = opened(cells)
    for index in range(3):
        page.run(index)
    page.sees(2, "✗ test_a failed")
    for index in (3, 4):
        page.run(index, wait=False)
        page.answers(index, "p inner * 100")
        page.sees(index, "800")
        page.answers(index, "up")
        page.answers(index, "p mine + 1000")
        page.sees(index, "1004")
        page.answers(index, "q")
        page.wait_kernel()


def test_live_progress(opened):
    """A run says which test it is at, and in the end only its results."""
    page = opened(
        {
            "load": LOAD,
            "tests": "import time, pytest\n@pytest.mark.parametrize('n', range(6))\n"
            "def test_slow(n):\n    time.sleep(0.4)",
            "run": "%xunit_run",
        }
    )
    page.run(0)
    page.run(1)
    page.run(2, wait=False)
    seen = {""}
    while "6 tests in" not in page.output(2):
        seen.add(" ".join(page.output(2).split()))
        page.page.wait_for_timeout(50)
    states = {text for text in seen if text.startswith("Running")}
    assert len(states) >= 3, seen
    assert any("of 6" in state and "test_slow[" in state for state in states), states
    assert "Running" not in page.output(2)
    page.save()
    saved = page.server.root / "test_live_progress.ipynb"
    assert "Running" not in saved.read_text()
    assert "6 passed" in saved.read_text()


@pytest.mark.parametrize("cell", ["test", "setup"])
def test_visual_debugger(opened, cell):
    """A breakpoint of JupyterLab's debugger stops inside a test cell and a hook cell at its line."""
    page = opened(
        {
            "load": LOAD,
            "setup": "%%xunit_setup module\nfirst = 1\nsecond = first + 1\nthird = 3",
            "test": "%%xunit_test test_a\nmine = 5\nother = mine + 1\nassert other == 6",
        }
    )
    for each in range(3):  # what is imported is imported before: under a debugger that takes long
        page.run(each)
    page.page.locator(".jp-DebuggerBugButton[aria-disabled=false]").click()
    page.page.wait_for_selector(".jp-DebuggerBugButton[aria-pressed=true]")
    page.page.wait_for_selector(".jp-Notebook .jp-Cell .cm-breakpoint-gutter", state="attached")
    index = 2 if cell == "test" else 1
    page.breaks_at(index, 3)
    if cell == "setup":
        page.run(1)  # the debugger knows the code of a cell that it has seen run
    page.run(2, wait=False)
    frame = "test_a" if cell == "test" else "module_setup"
    page.page.wait_for_function(
        "name => document.querySelector('.jp-DebuggerCallstack-body')?.innerText.includes(name)",
        arg=frame,
    )
    top = page.page.locator(".jp-DebuggerCallstack-body li").first.inner_text().split()
    assert top[0] == frame
    assert top[-1].endswith(":3")
    page.command("debugger:continue")
    page.sees(2, "✓ test_a passed")
