"""The companion modules of this folder, run as a person would, forked and spawned."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import companion_notebooks
import pytest
from shells import Shell

MODULES = sorted((Path(__file__).parent / "modules").glob("test_*.py"))


@pytest.fixture(scope="module", params=["forked", "spawned"])
def run(request, tmp_path_factory):
    """What `nbxunit run tests -v` prints for all modules."""
    shell = Shell(tmp_path_factory.mktemp("project"))
    companion_notebooks.write(shell.folder / "notebooks")
    shutil.copytree(Path(__file__).parent / "modules", shell.folder / "tests")
    (shell.folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    options = ["-n", "2"] if request.param == "forked" else ["--no-fork"]
    return shell.run("tests", "-v", "-W", "error", *options, timeout=180)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module(run, module):
    """All tests of the module pass, each with its node id."""
    found = re.findall(rf"(?m)^tests/{module.name}::(\S+) (\w+)", run.output)
    names = re.findall(r"(?m)^ *(?:async )?def (test_\w+)", module.read_text())
    assert {name for test, _ in found for name in re.findall(r"test_\w+", test)} >= set(names), run.output  # fmt: skip
    assert {outcome for _, outcome in found} == {"PASSED"}, run.output


def test_nothing_else_ran(run):
    """The run passes, and executes neither test cells nor functions of notebooks."""
    assert run.exit == 0, run.output
    assert ".ipynb::" not in run.output
