"""`--collect-only`: notebooks are executed to know their tests, several at once where that is asked for."""

from __future__ import annotations

import pytest

WAITS = """\
import time
from pathlib import Path
Path("NAME.here").touch(exist_ok=False)
end = time.monotonic() + 30
while not Path("OTHER.here").exists():
    assert time.monotonic() < end, "the other one never came"
    time.sleep(0.05)
"""


@pytest.mark.parametrize("words", [["."], ["a.ipynb", "b.ipynb"]])
def test_several_kernels_list_tests_at_once(shell, words):
    """Each of two notebooks waits for the other one, and with -n 2 both list their tests, in order, once."""
    for name, other in ("ab", "ba"):
        cell = WAITS.replace("NAME", name).replace("OTHER", other)
        shell.write(f"{name}.ipynb", cell, f"def test_{name}(): ...")
    result = shell.run(*words, "--collect-only", "-q", "-n", "2")
    assert result.output.splitlines()[:2] == ["a.ipynb::test_a", "b.ipynb::test_b"]
    assert result.exit == 0
    assert shell.kernels() == []


def test_what_is_not_asked_for_is_not_executed(shell):
    """Beside a notebook that is named, or a test in it, no other one runs ahead."""
    touch = "from pathlib import Path\nPath('NAME.ran').touch()"
    for name in "abc":
        cell = touch.replace("NAME", name)
        shell.write(f"{name}.ipynb", cell, "def test_it(): ...")
    result = shell.run("b.ipynb::test_it", "--collect-only", "-q", "-n", "4")
    assert result.output.splitlines()[0] == "b.ipynb::test_it"
    assert [path.name for path in shell.folder.glob("*.ran")] == ["b.ran"]


def test_an_end_is_one_for_what_runs_ahead(shell):
    """With -x, an error ends the listing, and the kernels of notebooks behind it."""
    shell.write("a.ipynb", "import time\ntime.sleep(2)\nassert False")
    shell.write("b.ipynb", "import time\ntime.sleep(60)", "def test_b(): ...")
    result = shell.run("a.ipynb", "b.ipynb", "--collect-only", "-n", "2", "-x")
    assert result.exit != 0
    assert result.seconds < 50
    assert shell.kernels() == []
