"""Subtests of notebooks are told as those of modules, also where many are told by what differs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbxunit import frames, protocol

pytest.importorskip("_pytest.subtests", reason="pytest 9 has subtests")

SUBTESTS = """
import unittest

def test_fixture(subtests, record_property):
    for i in range(40):
        with subtests.test("a message" if i % 10 == 4 else None, i=i, text="x" * (i * 30)):
            if i % 10 == 5: print("output of", i)
            assert i % 10 != 7
            if i == 31: subtests_skip()
        if i == 20: record_property("half", [1, 2])

def subtests_skip():
    import pytest
    pytest.skip("not this one")

class TestCase(unittest.TestCase):
    def test_case(self):
        for i in range(10):
            with self.subTest("said" if i == 3 else None, i=i):
                self.assertNotEqual(i, 6)

    def test_passes(self):
        for i in range(600):
            with self.subTest(i=i): pass

def test_none(): pass
"""
RECORDER = """
import json, os
def pytest_runtest_logreport(report):
    if "NBXUNIT_KERNEL" not in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        properties = [each for each in report.user_properties if each[0] not in ("notebook", "cell")]
        told = {
            "kind": type(report).__name__, "nodeid": report.nodeid.partition("::")[2], "when": report.when,
            "outcome": report.outcome, "context": str(getattr(report, "context", "")),
            # The terminal of a worker of xdist prints its letters where tests print.
            "sections": [each for each in report.sections if each[1].strip("u,")],
            "properties": properties, "extra": getattr(report, "extra", None), "line": report.location[2],
        }
        with open(os.environ["TOLD"], "a") as file:
            file.write(json.dumps(told) + "\\n")
"""
ADDING = """
def pytest_report_to_serializable(report):
    report.extra = "added in a kernel"
"""


@pytest.fixture
def told(shell):
    """What reporters are told of the notebook, and of the same code as a module in a worker of xdist."""

    def of(conftest: str, *options: str):
        (shell.folder / "conftest.py").write_text(conftest)
        shell.write("a.ipynb", SUBTESTS)
        (shell.folder / "test_a.py").write_text(SUBTESTS)
        found = []
        for kind in ("notebook", "module"):
            file = shell.folder / f"told-{kind}"
            shell.env["TOLD"] = str(file)
            if kind == "notebook":
                output = shell.run("a.ipynb", *options).output
            else:
                command = [sys.executable, "-m", "pytest", "test_a.py", "-n", "1", *options]
                output = subprocess.run(
                    command, cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=False
                ).stdout  # fmt: skip
            found.append((list(map(json.loads, file.read_text().splitlines())), output))
        return found

    return of


@pytest.mark.parametrize("conftest", [RECORDER, RECORDER + ADDING], ids=["plain", "a hook adds"])
def test_subtests_are_told_as_by_a_worker_of_xdist(told, conftest):
    """Each report has what pytest gives it elsewhere: context, output, properties, what plugins add."""
    (notebook, output), (module, expected) = told(conftest)
    assert notebook == module
    assert {each["extra"] for each in notebook} == {
        "added in a kernel" if ADDING in conftest else None
    }
    assert output.splitlines()[-1].split(" in ")[0].strip("= ") == (
        expected.splitlines()[-1].split(" in ")[0].strip("= ")
    )


def test_verbose_names_all_that_passed(shell):
    """With -v each subtest that passed has its line, in order, up to the one in which a kernel dies."""
    shell.write("a.ipynb", SUBTESTS)
    output = shell.run("a.ipynb", "-v", "-k", "test_passes").output
    assert [f"(i='{i}')" for i in range(600)] == [
        line.partition("SUBPASSED")[2].split()[0] for line in output.splitlines() if "SUBPASSED" in line
    ]  # fmt: skip
    shell.write(
        "dies.ipynb",
        "import os\ndef test_dies(subtests):\n    for i in range(100):\n"
        "        with subtests.test(i=i):\n            if i == 50: os._exit(3)",
    )
    result = shell.run("dies.ipynb", "-v")
    assert [line.partition("(")[2].partition(")")[0] for line in result.output.splitlines()
            if "SUBPASSED" in line] == [f"i='{i}'" for i in range(50)]  # fmt: skip
    assert result.counts["error"] == 1, result.output


def test_an_order_of_repeats():
    """A report is repeated only in its test, and only with other times and another context."""
    place = ("a.ipynb", 1, "test_a")

    def order(*events: protocol.Event) -> None:
        checked = frames.Order()
        begin = [
            protocol.Hello(protocol.VERSION, "", "", "", ""), protocol.Collected(("a", "b")),
            protocol.Started("a", place),
        ]  # fmt: skip
        for event in (*begin, *events):
            checked.check(event)

    report = protocol.Reported({"nodeid": "a", "when": "call"})
    sound = protocol.Repeated(({"duration": 1.0}, {}))
    order(report, sound, sound)
    between = protocol.Finished("a", place), protocol.Started("b", place)
    wrong = protocol.Repeated(({"duration": 1.0}, {"nodeid": "b"}))
    for events in ((sound,), (report, *between, sound), (report, wrong)):
        with pytest.raises(protocol.ProtocolError):
            order(*events)
