"""The cells of a notebook: many go to the kernel in one request, and it stops at one that fails."""

from __future__ import annotations

import nbformat
import pytest

LAST = "def test_last(): pass"
MARK = "open('ran', 'a').write('x')"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x = 1\n1 / 0", "cell 3, line 2: ZeroDivisionError"),
        ("assert x == 2", "assert 1 == 2"),
        ("%run broken.py", "NameError"),
        ("%no_such_magic", "no_such_magic"),
        ("def f(:", "cell 3, line 1: SyntaxError: invalid syntax\n"),
        ("exit()", "ends the kernel by exit"),
        (
            "class A:\n    def __repr__(self): raise KeyError('shown')\nA()",
            "cell 3, line 2: KeyError: 'shown'",
        ),
        ("await nothing", "NameError"),
        ("%%xunit_test test_a\nyield", "yield cannot stand"),
        ("%%xunit_setup nowhere\npass", "nowhere"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n[0] * 9**7", "KeyboardInterrupt"),
    ],
)
def test_a_cell_that_fails_is_the_last(shell, cell, said):
    """A cell that fails, however it shows it, is named with its number, and none behind it runs."""
    (shell.folder / "broken.py").write_text("missing")
    shell.write("a.ipynb", MARK, "x = 1", cell, MARK, LAST)
    done = shell.run("a.ipynb")
    assert done.exit == 1, done.output
    assert "a.ipynb cell 3" in done.output
    assert said in done.output
    assert (shell.folder / "ran").read_text() == "x"


@pytest.mark.parametrize(
    ("cell", "words", "said"),
    [
        ("x = 2\n1 / 0", [], "ERROR a.ipynb - cell 2, line 2: ZeroDivisionError: division by zero"),
        (
            "1 / 0", ["--check-execution"],
            "FAILED a.ipynb::execution - cell 2, line 1: ZeroDivisionError: division by zero",
        ),
        ("def test_a(nosuch): pass", [], "ERROR a.ipynb::test_a - fixture 'nosuch' not found"),
    ],
)  # fmt: skip
def test_summary(shell, cell, words, said):
    """In CI, where pytest cuts no message, the summary has one line for an error: where and what."""
    shell.write("a.ipynb", "x = 1", cell, LAST)
    shell.env["CI"] = "true"
    summary = shell.run("a.ipynb", *words).output.partition("short test summary info")[2]
    assert summary.splitlines()[1:-1] == [said]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("pytest.importorskip('nosuch')", "could not import 'nosuch'"),
        ("x = 2\npytest.skip('why', allow_module_level=True)", "why"),
        ("import unittest\nraise unittest.SkipTest('why')", "why"),
    ],
)
def test_a_cell_that_skips(shell, cell, reason):
    """A cell skips its notebook as it would a module, with its place, and no test of it runs."""
    shell.write("a.ipynb", "import pytest", cell, MARK, LAST)
    done = shell.run("a.ipynb", "-rs", "--save", "out", width=200)
    assert (done.exit, done.counts) == (5, {"skipped": 1}), done.output
    assert f"SKIPPED [1] a.ipynb cell 2:{cell.count(chr(10)) + 1}: {reason}" in done.output
    assert f"SKIPPED a.ipynb cell 2: {reason}" in (shell.folder / "out/a.ipynb").read_text()
    assert not (shell.folder / "ran").exists()
    listed = shell.run("a.ipynb", "--collect-only")
    assert (listed.exit, "1 skipped" in listed.output) == (5, True), listed.output
    checked = shell.run("a.ipynb", "--check-execution", "-v")
    assert "a.ipynb::execution SKIPPED" in checked.output


def test_a_skip_that_is_for_a_test(shell):
    """`pytest.skip` without its flag is an error in a cell, as in a module."""
    shell.write("a.ipynb", "import pytest", "pytest.skip('why')", LAST)
    done = shell.run("a.ipynb")
    assert (done.exit, done.counts) == (1, {"error": 1}), done.output


def test_cells_that_do_not_await(shell):
    """`%autoawait off` holds for the cells, and the run behind them awaits all the same."""
    shell.write(
        "a.ipynb", "%autoawait off", "assert get_ipython().autoawait is False", "import asyncio",
        "%%xunit_test test_a\nawait asyncio.sleep(0)", LAST,
    )  # fmt: skip
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 2}, done.output


def test_cells_are_executed_as_if_each_had_been_sent(shell):
    """History, hooks, output, awaiting and cells that only show something are as in Jupyter."""
    shell.write(
        "a.ipynb",
        "seen = []\nget_ipython().events.register('pre_run_cell', lambda info: seen.append(info.cell_id))",
        "2 + 3",
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(0, 'slept'))\nawait task",
        "print?",
        "%%xunit_test test_history\nassert (Out[2], Out[3], In[2], len(In)) == (5, 'slept', '2 + 3', 10)",
        "import signal\nsignal.signal(signal.SIGINT, print)",
        "handler = signal.getsignal(signal.SIGINT)",
        "def test_hooks(): assert len(seen) == len(set(seen)) == 8 and seen[-1] is None",  # the run
        "def test_interrupts(): assert handler is signal.default_int_handler",
    )
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 3}, done.output


def test_more_cells_than_one_request_has(shell):
    """Each of many cells runs once, in order, with its own number and output."""
    cells = [f"print('line {n}')\nran = [*globals().get('ran', ()), {n}]" for n in range(120)]
    shell.write("a.ipynb", *cells, "def test_a(): assert ran == [*range(120)]")
    done = shell.run("a.ipynb", "--save", "out")
    assert done.counts == {"passed": 1}, done.output
    saved = nbformat.read(shell.folder / "out/a.ipynb", 4).cells
    assert [cell.execution_count for cell in saved] == list(range(1, 122))
    printed = ["".join(output.text for output in cell.outputs) for cell in saved[:-1]]
    assert printed == [f"line {n}\n" for n in range(120)]


@pytest.mark.parametrize("hangs", ["time.sleep(60)", "await asyncio.sleep(60)"])
def test_each_cell_has_its_own_time(shell, hangs):
    """The time of a cell begins with it, and the one that takes too long is named and interrupted."""
    before = ["import asyncio, time", *["time.sleep(0.6)"] * 5, "await asyncio.sleep(0)"]
    shell.write("a.ipynb", *before, hangs, MARK, LAST)
    done = shell.run("a.ipynb", "--cell-timeout", "1.5")
    assert done.exit == 1
    assert "cell 8 took longer than 1.5 s and was interrupted" in done.output
    assert done.seconds < 30
    assert not (shell.folder / "ran").exists()


def test_a_cell_that_dies_is_named_among_others(shell):
    """A kernel that dies in one of many cells is told with its number; what ran before is saved."""
    shell.write("a.ipynb", "print('one')", "2", "import os", "os._exit(3)", MARK, LAST)
    done = shell.run("a.ipynb", "--save", "out")
    assert done.exit == 1
    assert "a.ipynb cell 4" in done.output
    assert "exit status 3" in done.output
    saved = nbformat.read(shell.folder / "out/a.ipynb", 4).cells
    assert [cell.execution_count for cell in saved] == [1, 2, 3, 4, None, None]
    assert saved[0].outputs[0].text == "one\n"


def test_tags_among_other_cells(shell):
    """A cell that is to raise does not end the notebook, unless it raises nothing."""
    cells = ["x = 1", "1 / 0", "y = x", "z = 1", "def test_a(): assert y == 1"]
    path = shell.write("a.ipynb", *cells)
    notebook = nbformat.read(path, 4)
    notebook.cells[1].metadata.tags = ["raises-exception"]
    nbformat.write(notebook, path)
    assert shell.run("a.ipynb").counts == {"passed": 1}
    notebook.cells[3].metadata.tags = ["raises-exception"]
    nbformat.write(notebook, path)
    done = shell.run("a.ipynb")
    assert done.exit == 1
    assert "cell 4" in done.output
    assert "promises an exception" in done.output


def test_tag_of_a_cell_whose_exception_a_widget_shows(shell):
    """A cell that is to raise may raise within an output widget, which shows the exception."""
    path = shell.write("a.ipynb", "import ipywidgets", "with ipywidgets.Output():\n    1 / 0", LAST)
    notebook = nbformat.read(path, 4)
    notebook.cells[1].metadata.tags = ["raises-exception"]
    nbformat.write(notebook, path)
    assert shell.run("a.ipynb").counts == {"passed": 1}


@pytest.mark.parametrize(
    ("style", "shown", "hidden"),
    [
        ("long", ["y = 1", ">   f(0)", "      1 def f(x):"], []),
        ("short", [">   f(0)", "----> 2     return 1 / x"], ["y = 1", "      1 def f(x):"]),
        ("line", [], [">   f(0)", "return 1 / x"]),
        ("native", ["      1 def f(x):"], [">   f(0)"]),
    ],
)
def test_how_much_of_a_traceback_is_shown(shell, style, shown, hidden):
    """The report of a cell that raised obeys --tb, as that of a module that cannot be imported."""
    shell.write("a.ipynb", "def f(x):\n    return 1 / x", "y = 1\nf(0)", "def test_a(): ...")
    done = shell.run("a.ipynb", f"--tb={style}")
    assert "collected 1 notebook\n" in done.output
    assert "\na.ipynb cell 2, line 2: ZeroDivisionError: division by zero" in done.output
    assert [each for each in shown if each not in done.output] == []
    assert [each for each in hidden if each in done.output] == []
