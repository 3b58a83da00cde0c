"""Kernels that die or hang, files that are no notebooks: one clear error each, the rest goes on."""

from __future__ import annotations

import signal
import time

import pytest

OK = "def test_ok(): pass"


def rest_went_on(result, **counts: int) -> None:
    """The error is counted, the notebook after it ran, and nothing is left."""
    assert result.exit == 1, result.output
    assert result.counts == counts, result.output


@pytest.mark.parametrize(
    ("death", "said"),
    [
        ("os._exit(3)", "the kernel died (exit status 3)"),
        ("os.kill(os.getpid(), 9)", "killed by SIGKILL, perhaps out of memory"),
        ("os.abort()", "killed by SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
    ],
)
def test_kernel_that_dies_in_a_test(shell, death, said):
    """The running test is an error that says how, tests before it count, those after it are errors."""
    shell.write(
        "a.ipynb", "import os", "def test_1(): pass", f"def test_2(): {death}", "def test_3(): pass"
    )
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb")
    rest_went_on(result, passed=2, error=2)
    assert said in result.output
    assert "while it ran a.ipynb::test_2" in result.output
    assert "ERROR a.ipynb::test_3 - not run" in result.output
    assert shell.kernels() == []


def test_kernel_that_dies_in_a_cell(shell):
    """A cell that kills the kernel is an error that names the cell."""
    shell.write("a.ipynb", "import os", "os.kill(os.getpid(), 9)", OK)
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb")
    rest_went_on(result, passed=1, error=1)
    assert "a.ipynb cell 2: the kernel died (killed by SIGKILL" in result.output


def test_test_that_hangs_fails_and_the_next_runs(shell):
    """With --test-timeout a test is interrupted and torn down; the tests after it run."""
    shell.write(
        "a.ipynb", "import time, nbxunit",
        "def test_1():\n    nbxunit.add_cleanup(print, 'cleaned up')\n    time.sleep(60)", "def test_2(): pass",
    )  # fmt: skip
    result = shell.run("a.ipynb", "--test-timeout", "1")
    rest_went_on(result, failed=1, passed=1)
    assert "the test took longer than 1 s and was interrupted" in result.output
    assert "cleaned up" in result.output
    assert result.seconds < 45


def test_test_that_swallows_the_interrupt_loses_its_kernel(shell):
    """A test that does not react to an interrupt is an error, and so are those after it."""
    loop = """def test_1():
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt: pass"""
    shell.write("a.ipynb", "import time", loop, "def test_2(): pass")
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb", "--test-timeout", "1")
    rest_went_on(result, passed=1, error=2)
    assert "did not react to an interrupt" in result.output
    assert shell.kernels() == []


def test_cell_that_hangs(shell):
    """With --cell-timeout a cell is interrupted, and is an error that names it."""
    shell.write("a.ipynb", "import time", "time.sleep(60)", OK)
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb", "--cell-timeout", "1")
    rest_went_on(result, passed=1, error=1)
    assert "cell 2 took longer than 1 s and was interrupted" in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"cells": [', "a.ipynb is no notebook, for it is not JSON"),
        ("", "a.ipynb is empty"),
        ("[]", "its JSON is no object"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}', "a.ipynb"),
    ],
)
def test_file_that_is_no_notebook(shell, content, said):
    """One clear error for the file; the others run."""
    (shell.folder / "a.ipynb").write_text(content)
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb")
    rest_went_on(result, passed=1, error=1)
    assert said in result.output


def test_unknown_kernel(shell):
    """An unknown kernel is an error that names the known ones and the option."""
    shell.write("a.ipynb", OK, name="nosuch")
    shell.write("b.ipynb", OK)
    result = shell.run("a.ipynb", "b.ipynb")
    rest_went_on(result, passed=1, error=1)
    assert "there is no kernel 'nosuch'; known kernels: " in result.output
    assert "--kernel" in result.output


def test_other_language(shell):
    """A notebook in another language is an error when named, and skipped in a folder."""
    shell.write("a.ipynb", "def test_x(): pass", name="ir", language="R")
    shell.write("b.ipynb", OK)
    named = shell.run("a.ipynb", "b.ipynb")
    rest_went_on(named, passed=1, error=1)
    found = shell.run(".", "-rs")
    assert (found.exit, found.counts) == (0, {"passed": 1, "skipped": 1})
    assert "its language is r" in found.output


@pytest.mark.parametrize(
    "cells", [["import time", "def test_1(): time.sleep(60)"], ["import time; time.sleep(60)", OK]]
)
def test_interrupt_ends_all_soon(shell, cells):
    """Ctrl-C ends a run with exit code 2 within seconds, and leaves no kernel."""
    shell.write("a.ipynb", *cells)
    shell.write("b.ipynb", *cells)
    process = shell.start("a.ipynb", "b.ipynb", "-n", "2")
    deadline = time.monotonic() + 60
    while len(shell.kernels()) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(4)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert time.monotonic() - begin < 20
    assert "interrupted" in output
    assert shell.kernels() == []
