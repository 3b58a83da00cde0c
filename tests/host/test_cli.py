"""The command line: help, exit codes, executions, environments."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import warm_commands

import nbxunit

OK = "def test_ok(): pass"


def nbxunit_command(*args: str) -> subprocess.CompletedProcess[str]:
    return warm_commands.run(
        "nbxunit", args, cwd=Path.cwd(), env=dict(os.environ), timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"]])
def test_help_has_examples(args):
    """Both helps end with exit code 0 and show examples."""
    done = nbxunit_command(*args)
    assert done.returncode == 0
    assert "nbxunit run notebook.ipynb" in done.stdout


@pytest.mark.parametrize("args", [["nb.ipynb"], ["nb.ipynb::test_a", "-x"], ["."]])
def test_a_forgotten_run(args):
    """A notebook or folder without the command `run` is answered with the line that is meant."""
    done = nbxunit_command(*args)
    assert done.returncode == 2
    assert f"did you mean nbxunit run {' '.join(args)}?" in done.stderr


def test_version():
    """--version is the package's."""
    assert nbxunit_command("--version").stdout == f"nbxunit {nbxunit.__version__}\n"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nosuch.ipynb"], 4, "file or directory not found: nosuch.ipynb"),
        (["-k", "x" * 300], 5, "no tests ran"),
        (["-n", "0", "."], 4, "neither a number above 0 nor auto"),
        (["--nosuch-option"], 4, "unrecognized arguments: --nosuch-option"),
        (["--cell-timeout", "x", "."], 4, "invalid float value"),
        (["--test-timeout=-1", "."], 4, "the timeout of a test: -1 is not a number of seconds"),
        (["--notebook-timeout", "nan", "."], 4, "the timeout of a notebook: nan is not a number"),
        ([], 5, "no tests ran"),
    ],
)
def test_exit_codes_are_those_of_pytest(shell, args, code, said):
    """A usage error is 4, nothing to run is 5, and the reason is said."""
    result = shell.run(*args)
    assert result.exit == code, result.output
    assert said in result.output


def test_notebook_without_tests_is_named(shell):
    """A named notebook without tests is executed and ends in exit code 5, with what was looked at."""
    shell.write("a.ipynb", "open('ran', 'w').close()", "def check(): pass")
    result = shell.run("a.ipynb")
    assert result.exit == 5
    assert "a.ipynb: no tests" in result.output
    assert "looked at: check" in result.output
    assert (shell.folder / "ran").exists()


def test_notebook_without_tests_in_a_folder(shell):
    """In a folder a notebook without a sign of tests is not executed, and counted."""
    shell.write(
        "a.ipynb", "open('ran', 'w').close()\nfrom shutil import (move, rmtree)\ntest_size = 1"
    )
    shell.write("b.ipynb", OK)
    (shell.folder / "shared.py").write_text("def test_shared(): pass")
    shell.write("c.ipynb", "from shared import (\n    test_shared,\n)")
    result = shell.run(".")
    assert (result.exit, result.counts) == (0, {"passed": 2})
    assert "1 notebook without tests not executed" in result.output
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1 / 0", "cell 2, line 1: ZeroDivisionError"),
        ("x = 1\nassert x == 2", "cell 2, line 2: AssertionError: assert 1 == 2"),
        ("%nosuchmagic", "cell 2, line 1: UsageError"),
        ("import sys; sys.exit(0)", "cell 2, line 1: SystemExit"),
        ("exit()", "cell 2: the cell ends the kernel"),
        ("quit", "cell 2: the cell ends the kernel"),
        ("%run fail.py", "cell 2, line 1: ZeroDivisionError"),
    ],
)
def test_check_execution_fails_at_the_right_cell(shell, cell, said):
    """The execution is a test, failed by the cell that raises, whatever the reply says."""
    (shell.folder / "fail.py").write_text("1 / 0\n")
    shell.write("a.ipynb", "x = 1", cell, "open('after', 'w').close()")
    result = shell.run("--check-execution", "a.ipynb")
    assert (result.exit, result.counts) == (1, {"failed": 1}), result.output
    assert f"a.ipynb {said}" in result.output
    assert not (shell.folder / "after").exists()


def test_check_execution_passes(shell):
    """A notebook whose cells all run is one passed test, also with tags that say so."""
    shell.write("a.ipynb", "x = 1", "print(x)")
    path = shell.write("b.ipynb", "1 / 0", "raise SystemExit", "x = 2")
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["metadata"]["tags"] = ["raises-exception"]
    notebook["cells"][1]["metadata"]["tags"] = ["skip-execution"]
    path.write_text(json.dumps(notebook))
    result = shell.run("--check-execution", "-v")
    assert (result.exit, result.counts) == (0, {"passed": 2}), result.output
    assert "a.ipynb::execution PASSED" in result.output


def test_junit_is_clean(shell):
    """One testcase a test, with stable names, its time, its notebook and cell, and no ANSI."""
    shell.write(
        "a.ipynb", "import pytest", "@pytest.mark.parametrize('n', [1])\ndef test_n(n): print('\\x1b[31mred')",
        "%%xunit_test TestDb::test_x\nassert 1 == 2, '\\x1b[31mred'",
    )  # fmt: skip
    shell.run("a.ipynb", "--junitxml=report.xml", "--color=yes")
    text = (shell.folder / "report.xml").read_text()
    cases = list(ET.fromstring(text).iter("testcase"))
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        ("a.ipynb", "test_n[1]"),
        ("a.ipynb.TestDb", "test_x"),
    ]
    properties = {each.get("name"): each.get("value") for each in cases[1].iter("property")}
    assert properties == {"notebook": "a.ipynb", "cell": "cell 3"}
    assert all(float(case.get("time", "-1")) >= 0 for case in cases)
    assert "\x1b" not in text
    assert "#x1B" not in text


def test_autoload_off(shell):
    """`nbxunit run` works where plugins are not loaded by themselves."""
    shell.write("a.ipynb", OK)
    shell.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    assert shell.run("a.ipynb").exit == 0


def test_from_another_folder(shell, tmp_path):
    """The working directory of cells is the notebook's folder, wherever the run was started."""
    shell.write(
        "a.ipynb", "import os", "def test_cwd(): assert os.path.basename(os.getcwd()) == 'work'"
    )
    shell.folder = tmp_path
    result = shell.run("work/a.ipynb", "-v")
    assert result.exit == 0, result.output
    assert "work/a.ipynb::test_cwd PASSED" in result.output


def test_a_run_writes_no_file(shell):
    """Apart from pytest's own cache on the host, nothing is written beside the notebook."""
    shell.write("a.ipynb", OK, "def test_fails(tmp_path): assert 0")
    shell.run("a.ipynb", "-p", "no:cacheprovider")
    assert [path.name for path in shell.folder.iterdir()] == ["a.ipynb"]


def test_kernel_without_nbxunit(shell, tmp_path):
    """A kernel whose Python lacks nbxunit is a clear error with the command that mends it."""
    bare = tmp_path / "bare"
    venv.EnvBuilder(with_pip=False).create(bare)
    python = bare / "bin" / "python"
    site = next((bare / "lib").glob("python*/site-packages"))
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if not entry.name.lower().startswith(
            ("nbxunit", "_editable", "__editable", "__pycache__", "_nbxunit")
        ):
            (site / entry.name).symlink_to(entry)
    spec = tmp_path / "data" / "kernels" / "bare"
    spec.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "bare", "language": "python"})
    )
    shell.env["JUPYTER_PATH"] = str(tmp_path / "data")
    shell.env.pop("PYTHONPATH", None)
    shell.write("a.ipynb", OK)
    result = shell.run("a.ipynb", "--kernel", "bare")
    assert result.exit == 1
    assert f"{python} -m pip install nbxunit" in result.output


def test_every_report_arrives_in_order(shell):
    """A host that pauses loses no report of many tests that print much."""
    (shell.folder / "conftest.py").write_text(
        "import os, time\n"
        "seen = []\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' and 'NBXUNIT_KERNEL' not in os.environ:\n"
        "        seen.append(report.nodeid)\n"
        "        if len(seen) == 500: time.sleep(3)\n"
        "def pytest_sessionfinish():\n"
        "    if seen: open('seen', 'w').write('\\n'.join(seen))\n"
    )
    shell.write(
        "a.ipynb", "import pytest",
        "@pytest.mark.parametrize('n', range(1000))\ndef test_n(n): print('x' * 2000)",
    )  # fmt: skip
    result = shell.run("a.ipynb", "-q")
    assert result.exit == 0, result.output[-2000:]
    seen = (shell.folder / "seen").read_text().split()
    assert seen == [f"a.ipynb::test_n[{n}]" for n in range(1000)]


def test_what_runs_is_said_where_there_is_no_terminal(shell):
    """After some silent seconds a line says which test is running."""
    shell.be_impatient()
    shell.write("a.ipynb", "import time", "def test_long(): time.sleep(3)")
    assert re.search(
        r"nbxunit: a\.ipynb: silent for \d+ s: a\.ipynb::test_long\n", shell.run("a.ipynb").output
    )


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_what_runs_is_said_on_a_terminal(shell):
    """On a terminal the cell or test that runs stands behind the line, at once."""
    shell.write("a.ipynb", "import time", "def test_long(): time.sleep(3)")
    shell_end, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbxunit", "run", "a.ipynb"], cwd=shell.folder, env=shell.env,
        stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    output = b""
    while chunk := _read(shell_end):
        output += chunk
    assert process.wait() == 0
    assert b"[a.ipynb::test_long, " in output


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_notebooks_of_one_name_are_saved_apart(shell):
    """Outside the rootdir a saved notebook keeps its path, so that none takes another's place."""
    for folder in ("p", "q", "root"):
        (shell.folder / folder).mkdir()
    shell.write("p/a.ipynb", OK)
    shell.write("q/a.ipynb", OK)
    result = shell.run("p/a.ipynb", "q/a.ipynb", "--rootdir=root", "--save", "out")
    assert result.exit == 0, result.output
    assert len(list(shell.folder.glob("out/**/a.ipynb"))) == 2
