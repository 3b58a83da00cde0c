"""What goes to a terminal and comes from it, whatever its streams are."""

from __future__ import annotations

import pytest

KEPT_OUT = ("-p", "no:pytest-teamcity")
"""What cannot be imported where the input is closed."""
WITHOUT_INPUT = {"ended": 'exec "$@" </dev/null', "closed": 'exec "$@" <&-'}
FAILS = "def test_a():\n    value = 4711\n    assert value == 0"


@pytest.mark.parametrize("how", WITHOUT_INPUT)
def test_debugger_without_input(shell, how):
    """The end of the input ends the debugger, and with it the run, as in pytest."""
    shell.write("a.ipynb", FAILS, "def test_b(): pass")
    shell.launcher = ["sh", "-c", WITHOUT_INPUT[how], "sh"]
    result = shell.run("a.ipynb", "--pdb", *KEPT_OUT)
    assert (result.exit, result.counts) == (2, {"failed": 1}), result.output
    assert result.output.count("ipdb>") == 1
    assert "Quitting debugger" in result.output


def test_closed_input(shell):
    """No socket takes the number of a standard stream that is closed."""
    shell.write("a.ipynb", "def test_a(): pass")
    shell.launcher = ["sh", "-c", WITHOUT_INPUT["closed"], "sh"]
    result = shell.run("a.ipynb", *KEPT_OUT)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "\\xe4\\u20ac \\ud800 behind"), ("utf-8", "ä€ \\ud800 behind")],
)
@pytest.mark.parametrize("code", ["print({})", "def test_a(): print({})"], ids=["cell", "test"])
def test_output_that_cannot_be_encoded(shell, encoding, shown, code):
    """With `-s` what a stream cannot have is escaped, and nothing behind it is lost."""
    shell.env["PYTHONIOENCODING"] = encoding
    shell.write("a.ipynb", code.format(r'"ä€ \ud800 behind"'), "def test_b(): pass")
    result = shell.run("a.ipynb", "-s")
    assert result.exit == 0, result.output
    assert shown in result.output


@pytest.mark.parametrize("plugin", ["capture", "debugging"])
def test_plugins_of_pytest_that_are_kept_out(shell, plugin):
    """Without pytest's capture or debugger the tests run."""
    shell.write("a.ipynb", "print('told')\ndef test_a(): print('told')")
    result = shell.run("a.ipynb", "-p", f"no:{plugin}")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert result.output.count("told") == (2 if plugin == "capture" else 0)


@pytest.mark.parametrize("verbose", [False, True])
def test_what_is_printed_without_end(shell, verbose):
    """A terminal shows 4 kB of it, the first and last lines; JUnit has it all, and so has -vv."""
    shell.write(
        "a.ipynb", "def test_a():\n    for n in range(9000): print('line', n)\n    assert 0"
    )
    shell.write("b.ipynb", "for n in range(9000): print('line', n)\n1 / 0", "def test_b(): pass")
    words = ["--junitxml", "junit.xml", "-o", "junit_logging=all", *["-vv"] * verbose]
    done = shell.run("a.ipynb", "b.ipynb", *words)
    assert done.counts == {"failed": 1, "error": 1}
    assert "collected 2 notebooks" in done.output
    for line in ("line 0", "line 8999"):
        assert done.output.count(f"{line}\n") == 2
    assert done.output.count("characters left out by nbxunit") == (0 if verbose else 2)
    assert (len(done.output) < 12_000) != verbose
    assert "line 4500" in (shell.folder / "junit.xml").read_text()
