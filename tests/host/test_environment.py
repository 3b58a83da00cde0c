"""Surroundings in which a run has to be what it is elsewhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

PASSES = "def test_a(): pass"
KINDS = pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])


@pytest.fixture
def temporary(shell):
    """The temporary folder of what the shell runs; its name is short, as sockets need."""
    with tempfile.TemporaryDirectory() as folder:
        shell.env["TMPDIR"] = folder
        yield Path(folder)


@KINDS
@pytest.mark.parametrize("variable", ["HOME", "IPYTHONDIR"])
def test_without_a_home(shell, temporary, options, variable):
    """Where IPython has no place for its files, none of them is left."""
    shell.env[variable] = "/nonexistent/folder"
    shell.write("a.ipynb", PASSES)
    result = shell.run("a.ipynb", *options)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert list(temporary.iterdir()) == []


@KINDS
def test_own_place_of_ipython(shell, options):
    """A kernel has the IPython folder that the environment names, where it can be written."""
    place = shell.folder / "ipython"
    shell.env["IPYTHONDIR"] = str(place)
    shell.write("a.ipynb", f"def test_a(): assert get_ipython().ipython_dir == {str(place)!r}")
    result = shell.run("a.ipynb", *options)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


@KINDS
def test_warnings_that_are_errors(shell, options):
    """With PYTHONWARNINGS=error nothing but the notebook's own warnings is an error."""
    shell.env["PYTHONWARNINGS"] = "error"
    shell.write("a.ipynb", PASSES, "import warnings\ndef test_b(): warnings.warn('b')")
    result = shell.run("a.ipynb", *options)
    assert (result.exit, result.counts) == (1, {"passed": 1, "failed": 1}), result.output
    assert "UserWarning: b" in result.output


def test_temporary_folder_whose_name_has_many_bytes(shell, temporary):
    """The limit of a socket's name is one of bytes, not of characters."""
    folder = temporary / ("ä" * 45)
    folder.mkdir()
    shell.env["TMPDIR"] = str(folder)
    shell.write("a.ipynb", PASSES)
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert list(folder.iterdir()) == []
