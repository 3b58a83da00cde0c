"""Surroundings in which a run has to be what it is elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import pytest
from jupyter_client.provisioning.local_provisioner import LocalPortCache

from nbxunit.host.kernels import starting

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


REMOVES = """\
import os, shutil, time
def test_a():
    shutil.rmtree(os.path.join(os.environ["TMPDIR"], os.environ["NBXUNIT_KERNEL_ID"]))
    time.sleep(60)
"""


def test_kernel_whose_folder_is_removed(shell, temporary):
    """A test that takes its kernel's folder away is timed out as any other."""
    shell.write("a.ipynb", REMOVES, PASSES.replace("test_a", "test_b"))
    result = shell.run("a.ipynb", "--test-timeout", "1.5")
    assert (result.exit, result.counts) == (1, {"failed": 1, "passed": 1}), result.output
    assert "the test took longer than 1.5 s" in result.output
    assert list(temporary.iterdir()) == []


def test_notebook_that_becomes_a_pipe(shell):
    """A pipe, whose reading would not end, is an error; the others run."""
    shell.write("a.ipynb", "import os\nos.unlink('b.ipynb')\nos.mkfifo('b.ipynb')", PASSES)
    shell.write("b.ipynb", PASSES)
    shell.write("c.ipynb", PASSES)
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb")
    assert (result.exit, result.counts) == (1, {"passed": 2, "error": 1}), result.output
    assert "b.ipynb cannot be read: [Errno 22] it is no regular file" in result.output


def test_a_port_that_is_taken_meanwhile(tmp_path, monkeypatch):
    """Where another process takes a port between its choice and the kernel's start, others are chosen."""
    choose = LocalPortCache.find_available_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        ports = [other.getsockname()[1]]
        monkeypatch.setattr(
            LocalPortCache, "find_available_port",
            lambda cache, ip: ports.pop() if ports else choose(cache, ip),
        )  # fmt: skip
        folder = tmp_path / ("a" * starting.LONGEST_FOLDER)
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))

        async def start() -> bool:
            async with starting.started("python3", tmp_path, os.environ) as kernel:
                return kernel.is_alive()

        assert asyncio.run(start())
    assert not ports
