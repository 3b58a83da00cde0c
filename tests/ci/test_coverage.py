"""Coverage with pytest-cov: of what cells import, and of cells, as of the same code in modules."""

from __future__ import annotations

import subprocess
import sys

import measured
import pytest

JSON = ("--cov-report=json", "--cov-report=term-missing")


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """What pytest-cov says of the project with its tests in modules, with and without branches."""
    found = {}
    for branch in ([], ["--cov-branch"]):
        folder = tmp_path_factory.mktemp("modules") / "project"
        measured.write(folder, notebooks=False)
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--cov=shop", "--cov=tests", *branch, *JSON],
            cwd=folder, check=True, timeout=120,
        )  # fmt: skip
        found[bool(branch)] = measured.found(folder)
    return found


@pytest.fixture
def project(shell):
    """The project with notebooks, in which the shell stands."""
    shell.folder /= "project"
    measured.write(shell.folder, notebooks=True)
    return shell.folder


@pytest.mark.parametrize(
    "options", [[], ["--cov-branch"], ["--cov-branch", "-n", "2"]], ids=" ".join
)
def test_cells_and_package_are_as_modules(shell, project, modules, options):
    """Line by line and branch by branch, a notebook's coverage is that of the same code in a module."""
    result = shell.run("--cov=shop", "--cov=tests", *options, *JSON)
    assert result.exit == 0, result.output
    found = measured.found(project)
    assert found.keys() == modules[False].keys()
    for name, expected in modules["--cov-branch" in options].items():
        assert found[name] == expected, name
