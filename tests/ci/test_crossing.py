"""What crosses from the command line to kernels, and from the ends of their sessions back."""

from __future__ import annotations

import re
import sys

import pytest

PASSING = "def test_a(): pass"


def test_values_that_json_cannot_carry_are_made_in_the_kernel(shell):
    """Enum, date, set, Path, tuple and lists of them are in the kernel what they are on the host."""
    (shell.folder / "conftest.py").write_text("""
import datetime, enum, pathlib
class Mode(enum.Enum):
    FAST, SLOW = 1, 2
class Word(enum.StrEnum):
    ON = "on"
def pytest_addoption(parser):
    parser.addoption("--mode", type=Mode.__getitem__, default=Mode.SLOW)
    parser.addoption("--word", type=Word, default=None)
    parser.addoption("--since", type=datetime.date.fromisoformat, default=datetime.date(1970, 1, 1))
    parser.addoption("--tags", type=lambda text: set(text.split(",")), default=set())
    parser.addoption("--data", type=pathlib.Path, action="append")
    parser.addoption("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(0, 0))
""")
    shell.write("a.ipynb", "import datetime, pathlib", """
def test_values(request):
    get = request.config.getoption
    assert get("--mode").name == "FAST"
    assert get("--word").name == "ON"
    assert get("--since") == datetime.date(2024, 2, 29)
    assert get("--tags") == {"x", "y"}
    assert get("--data") == [pathlib.Path("one"), pathlib.Path("two")]
    assert get("--size") == (3, 4)
""")  # fmt: skip
    (shell.folder / "pytest.ini").write_text("[pytest]\naddopts = --since 2024-02-29\n")
    words = ["--mode", "FAST", "--tags=x,y", "--data", "one", "--data", "two", "--size=3x4"]
    result = shell.run(*words, "--word", "on", "a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


def test_a_value_that_cannot_be_carried_is_named(shell):
    """A value that the host has and the command line does not make again is an error with its option."""
    (shell.folder / "conftest.py").write_text("""
import os
class Box:
    def __init__(self, value): self.value = value
def pytest_addoption(parser):
    parser.addoption("--box", type=Box, default=None)
def pytest_configure(config):
    if "NBXUNIT_KERNEL" not in os.environ:
        config.option.box = Box("of the host")
""")
    shell.write("a.ipynb", PASSING)
    result = shell.run("--box", "word", "a.ipynb", width=200)
    assert result.exit == 1, result.output
    assert "the option 'box' cannot be carried to the kernel" in result.output


def test_warning_filters_hold_in_cells(shell):
    """`-W error` breaks a cell that warns, as it breaks a module; without it the summary has the warning."""
    shell.write("a.ipynb", "import warnings\nwarnings.warn('old', DeprecationWarning)", PASSING)
    shell.write("b.ipynb", "import warnings; warnings.filterwarnings('ignore')",
                "warnings.warn('unseen')", PASSING)  # fmt: skip
    result = shell.run("a.ipynb", "b.ipynb")
    assert result.counts == {"passed": 2, "warning": 1}, result.output
    assert "a.ipynb cell 1:2" in result.output
    result = shell.run("a.ipynb", "b.ipynb", "-W", "error")
    assert result.counts == {"passed": 1, "error": 1}, result.output
    assert "a.ipynb cell 1, line 2: DeprecationWarning: old" in result.output


def test_logs_of_cells_and_tests_are_in_the_log_file(shell):
    """`--log-file` has the records of all notebooks, in their order, and those of the host."""
    for name in ("a", "b"):
        shell.write(f"{name}.ipynb", f"import logging\nlogging.error('cell of {name}')",
                    f"def test_log(): logging.error('test of {name}')")  # fmt: skip
    (shell.folder / "test_c.py").write_text(
        "import logging\ndef test_c(): logging.error('module')\n"
    )
    result = shell.run("a.ipynb", "b.ipynb", "test_c.py", "-n", "2", "--log-file=all.log")
    assert result.exit == 0, result.output
    found = re.findall("(cell of .|test of .|module)", (shell.folder / "all.log").read_text())
    assert found == ["cell of a", "test of a", "cell of b", "test of b", "module"]


def test_live_logs_reach_the_terminal(shell):
    """With log_cli, the records of cells and tests are written as they come."""
    shell.write("a.ipynb", "import logging\nlogging.warning('from a cell')",
                "def test_log(): logging.warning('from a test')")  # fmt: skip
    result = shell.run("a.ipynb", "-o", "log_cli=true")
    assert "from a cell" in result.output
    assert re.search("live log call -.*\n.*from a test", result.output), result.output


def test_a_status_without_a_failure_is_an_error_of_the_notebook(shell):
    """`session.exitstatus`, shouldfail and pytest.exit at the end: an error, and the status of the run."""
    (shell.folder / "conftest.py").write_text("""
import os, pytest
def pytest_sessionfinish(session):
    if "NBXUNIT_KERNEL" in os.environ:
        what = os.environ["WHAT"]
        if what == "status":
            session.exitstatus = 1
        elif what == "exit":
            pytest.exit("by hand", 7)
@pytest.fixture(autouse=True)
def fail(request):
    yield
    if os.environ["WHAT"] == "shouldfail":
        request.session.shouldfail = "too slow"
""")
    shell.write("a.ipynb", PASSING)
    for what, status, text in [
        ("status", 1, "with status 1, and no test has failed"),
        ("exit", 7, "with status 7, and no test has failed"),
        ("shouldfail", 1, "with status 1: too slow"),
        ("nothing", 0, "1 passed"),
    ]:
        shell.env["WHAT"] = what
        result = shell.run("a.ipynb", width=200)
        assert result.exit == status, (what, result.output)
        assert text in result.output


def test_why_a_session_stops_is_told(shell):
    """`session.shouldstop` in a kernel ends the run with its reason, as in a module."""
    shell.write("a.ipynb", "def test_a(request): request.session.shouldstop = 'enough'",
                "def test_b(): pass")  # fmt: skip
    result = shell.run("a.ipynb", width=200)
    assert result.exit == 2, result.output
    assert "Interrupted: a.ipynb: enough" in result.output


def test_what_plugins_say_at_the_end_is_told_once(shell):
    """A section of a kernel's summary stands below its notebook, if the host does not say the same."""
    (shell.folder / "conftest.py").write_text("""
import os
def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("same everywhere")
    terminalreporter.write_line("the same line")
    if "NBXUNIT_KERNEL" in os.environ:
        terminalreporter.section("of kernels")
        passed = [report.nodeid for report in terminalreporter.stats["passed"]]
        terminalreporter.write_line(f"seen {passed}")
""")
    shell.write("a.ipynb", "def test_a(): pass")
    shell.write("b.ipynb", "def test_b(): pass")
    result = shell.run("a.ipynb", "b.ipynb", "--durations=2")
    assert result.output.count("the same line") == 1, result.output
    assert re.search(r"= a.ipynb =+\n=+ of kernels =+\nseen \['a.ipynb::test_a'\]", result.output)
    assert "seen ['b.ipynb::test_b']" in result.output
    assert result.output.count("slowest 2 durations") == 1


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "--numprocesses=2", "--dist=loadfile"]])
def test_kernels_are_as_workers_of_xdist(shell, options):
    """What a conftest gives workers of xdist arrives, and what they leave comes back, of each kernel."""
    (shell.folder / "conftest.py").write_text("""
import pytest
def pytest_configure_node(node):
    node.workerinput["given"] = [1, 2]
def pytest_testnodedown(node, error):
    print("\\nleft", node.workeroutput["left"], error)
def pytest_sessionfinish(session):
    if hasattr(session.config, "workerinput"):
        ids = [item.nodeid for item in session.items if "test_" in item.nodeid]
        session.config.workeroutput["left"] = session.config.workerinput["given"] + ids
""")
    for name in "abc":
        shell.write(f"{name}.ipynb", "def test_it(worker_id): assert worker_id.startswith('gw')")
    result = shell.run("-s", *options)
    assert (result.exit, result.counts) == (0, {"passed": 3}), result.output
    for name in "abc":
        assert f"left [1, 2, '{name}.ipynb::test_it'] None" in result.output, result.output


def test_what_kernels_as_workers_lack(shell):
    """Where a plugin wants of a worker what only xdist has, kernels are none; one notebook finds out for its folder."""
    (shell.folder / "conftest.py").write_text("""
import os
def pytest_sessionstart(session):
    if "NBXUNIT_KERNEL" in os.environ:
        with open(os.environ["BEGUN"], "a") as file:
            file.write("begun ")
    if hasattr(session.config, "workerinput"):
        session.config.workerinput["a port of the controller"]
""")
    shell.env["BEGUN"] = str(shell.folder / "begun")
    for name in "abc":
        shell.write(f"{name}.ipynb", "def test_it(): pass")
    assert shell.run().counts == {"passed": 3}
    assert (shell.folder / "begun").read_text() == 4 * "begun "


def test_relative_paths_are_those_of_the_host(shell):
    """PYTHONPATH, paths of options and the folder of `python -m` are the host's, for a notebook below."""
    (shell.folder / "src").mkdir()
    (shell.folder / "src/inner.py").write_text("value = 1")
    (shell.folder / "outer.py").write_text("value = 2")
    (shell.folder / "conftest.py").write_text("""
import os
def pytest_addoption(parser):
    parser.addoption("--out")
def pytest_configure(config):
    config.out = os.path.abspath(config.getoption("out"))
def pytest_sessionfinish(session):
    assert os.path.abspath(session.config.getoption("out")) == session.config.out
""")
    (shell.folder / "deep").mkdir()
    shell.write("deep/a.ipynb", "import inner, outer", f"""
def test_paths(request, tmp_path):
    assert request.config.out == {str(shell.folder / "results")!r}
    assert str(tmp_path).startswith({str(shell.folder / "base")!r})
""")  # fmt: skip
    shell.env["PYTHONPATH"] = "src"
    result = shell.run("deep/a.ipynb", "--out", "results", "--basetemp", "base")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


def test_a_run_has_one_base_of_temporary_folders(shell):
    """The folders of five notebooks' tests are in one base, and all are there at the end."""
    shell.env["PYTEST_DEBUG_TEMPROOT"] = str(shell.folder)
    for number in range(5):
        shell.write(f"n{number}.ipynb", "def test_a(tmp_path): (tmp_path / 'kept').touch()")
    result = shell.run("-n", "2")
    assert result.counts == {"passed": 5}, result.output
    assert len(list(shell.folder.glob("pytest-of-*/pytest-0/n?0/kernel/test_a0/kept"))) == 5
    assert len(list(shell.folder.glob("pytest-of-*/pytest-[0-9]*"))) == 1


def test_cells_run_behind_configure_and_sessionstart(shell):
    """What a conftest patches and sets there, context variables too, holds in cells and tests."""
    (shell.folder / "conftest.py").write_text("""
import builtins, contextvars
builtins.state = contextvars.ContextVar("state", default="unset")
def pytest_configure(config):
    builtins.configured = True
def pytest_sessionstart(session):
    assert session.config.pluginmanager.hasplugin("capturemanager")
    builtins.state.set("started")
""")
    shell.write("a.ipynb", "assert configured\nassert state.get() == 'started'",
                "def test_a(): assert state.get() == 'started'")  # fmt: skip
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


def test_a_session_that_cells_end_is_finished(shell):
    """Where a cell is broken, what a conftest began at the session's start is ended in its kernel."""
    (shell.folder / "conftest.py").write_text("""
import os, pathlib
def pytest_sessionfinish(session):
    if "NBXUNIT_KERNEL" in os.environ:
        pathlib.Path("finished").write_text(str(int(session.exitstatus)))
""")
    (shell.folder / "deep").mkdir()
    shell.write("deep/a.ipynb", "1 / 0", PASSING)
    assert shell.run("deep/a.ipynb").exit == 1
    assert (shell.folder / "finished").read_text() == "2"


def test_a_plugin_that_a_fork_cannot_configure_gets_a_spawned_kernel(shell):
    """Where configure fails in a fork, kernels are spawned, and the run says so."""
    (shell.folder / "conftest.py").write_text("""
import sys
def pytest_configure(config):
    if "nbxunit.kernel.headless.forked_kernel" in sys.modules:
        raise RuntimeError("no forks here")
""")
    shell.write("a.ipynb", PASSING)
    shell.write("b.ipynb", PASSING)
    result = shell.run("a.ipynb", "b.ipynb", width=200)
    assert (result.exit, result.counts) == (0, {"passed": 2}), result.output
    is_forked = "--no-fork" not in shell.options and sys.platform == "linux"
    assert ("kernels were spawned, not forked: in a fork" in result.output) == is_forked


def test_a_test_that_starts_again_is_judged_at_its_last_end(shell):
    """A plugin that starts a test several times and reports its last run is believed."""
    (shell.folder / "conftest.py").write_text("""
import pytest
from _pytest.runner import runtestprotocol
def pytest_runtest_protocol(item, nextitem):
    for is_last in (False, False, True):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports if is_last else reports[:1]:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
""")
    shell.write("a.ipynb", "count = 0", """
def test_third():
    global count
    count += 1
    assert count == 3
""", "def test_other(): pass")  # fmt: skip
    result = shell.run("a.ipynb")
    assert result.counts == {"passed": 2}, result.output


def test_a_test_that_never_says_how_it_ended_is_an_error(shell):
    """Where a protocol swallows all reports of a test, that is no success."""
    (shell.folder / "conftest.py").write_text("""
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
""")
    shell.write("a.ipynb", "def test_a(): pass", "def test_b(): pass")
    result = shell.run("a.ipynb", width=200)
    assert result.counts == {"failed": 2}, result.output
    assert "never said how" in result.output
