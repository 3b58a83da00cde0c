"""One suite in two forms: all modules as .py files, and some of them as notebooks."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import nbformat
import warm_commands
from nbformat.v4 import new_code_cell, new_notebook

CONFTEST = """
import os
import pytest

os.environ["SUITE_TOKEN"] = "from conftest"

@pytest.fixture
def token():
    return os.environ["SUITE_TOKEN"]

def pytest_runtest_logreport(report):
    inside = "NBXUNIT_KERNEL" in os.environ or "PYTEST_XDIST_WORKER" in os.environ
    if os.environ.get("REPORTS") and not inside:
        if report.when == "call" or report.outcome != "passed":
            with open(os.environ["REPORTS"], "a") as file:
                file.write(f"{report.nodeid} {report.when} {report.outcome}\\n")
"""

MODULES = {
    "test_alpha": """
import os
import pytest

TOKEN = os.environ["SUITE_TOKEN"]

def setup_module():
    print("alpha begins")

@pytest.mark.parametrize("n", [1, 2, 3])
def test_number(n):
    assert n != 2

def test_token(token):
    assert token == TOKEN

@pytest.mark.slow
def test_slow():
    print("slow output")

class TestGroup:
    def test_one(self):
        assert [1, 2, 3] == [1, 2, 4]

    def test_two(self, tmp_path):
        (tmp_path / "file").write_text("x")
""",
    "test_beta": """
import unittest
import warnings
import pytest

class TestCase(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(1, 1)

    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)

    @unittest.skip("not today")
    def test_skipped(self):
        raise AssertionError

@pytest.mark.xfail(reason="known")
def test_known():
    assert False

@pytest.mark.xfail
def test_unexpected():
    pass

def test_warns():
    warnings.warn("beta warns", UserWarning)

@pytest.fixture
def broken():
    raise RuntimeError("broken fixture")

def test_error(broken):
    pass
""",
    "test_gamma": """
import pytest

def test_first():
    pass

def test_second():
    print("to stdout")
    raise ValueError("second fails")

def test_third(record_property):
    record_property("colour", "red")

def teardown_module():
    pass
""",
    "test_delta": """
def test_plain():
    pass

def test_plain_failure():
    assert {"a": 1} == {"a": 2}
""",
}  # fmt: skip
NOTEBOOKS = ("test_alpha", "test_gamma", "test_beta")
INI = "[pytest]\nmarkers = slow: takes long\n"


@dataclasses.dataclass
class Outcome:
    """What a run reported, in order, with `.ipynb` read as `.py`."""

    exit: int
    reports: list[str]
    text: str

    @property
    def counts(self) -> dict[str, int]:
        """The counts of pytest's last line."""
        lines = [
            line for line in self.text.splitlines() if re.search(r"(in \d|no tests ran)", line)
        ]
        found = re.findall(r"(\d+) (\w+)", re.sub(r"in [\d.]+s.*", "", lines[-1])) if lines else []
        return {word.rstrip("s"): int(number) for number, word in found}


def cells(source: str) -> list[str]:
    """A module's source as cells: one for each block between blank lines before a definition."""
    return [part.strip("\n") for part in re.split(r"\n\n(?=def |class |@)", source.strip("\n"))]


def write_notebook(path: Path, sources: list[str], **metadata: object) -> None:
    """A notebook of code cells with ids that stay."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python", **metadata,
    }  # fmt: skip
    nbformat.write(notebook, path)


def write_suite(folder: Path, *, notebooks: bool, ini: str = INI) -> Path:
    """The suite in `folder`, with or without notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text(ini)
    (folder / "conftest.py").write_text(CONFTEST)
    for name, source in MODULES.items():
        if notebooks and name in NOTEBOOKS:
            write_notebook(folder / f"{name}.ipynb", cells(source))
        else:
            (folder / f"{name}.py").write_text(source)
    return folder


def run(folder: Path, *args: str, env: dict[str, str] | None = None) -> Outcome:
    """Run pytest in `folder` as a person would, and take down what it reported."""
    reports = folder.parent / f"{folder.name}-reports"
    reports.write_text("")
    environment = {**os.environ, "REPORTS": str(reports), **(env or {})}
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    done = warm_commands.run(
        "pytest", args, cwd=folder, env=environment, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    lines = reports.read_text().replace(".ipynb", ".py").splitlines()
    return Outcome(done.returncode, lines, done.stdout + done.stderr)
