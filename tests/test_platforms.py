"""Platforms: what their front ends send, what their lists of versions hold, what their systems lack.

What takes long is in `platforms.py`, which runs the examples on each list.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from importlib.metadata import requires
from pathlib import Path

import examples
import front_ends
import live
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from shells import Shell

from nbxunit.host.kernels import processes

HERE = Path(__file__).parent
LISTS = sorted((HERE / "platform_lists").glob("*.txt"))
PYODIDE, LITE = "pyodide@314", "jupyterlite-pyodide-kernel==0.8.7"
"""JupyterLite's kernel, and the Pyodide that it is for; both have Python 3.14."""
RUN_ALL = {
    "cleanups": "1 xfailed, 6 passed",
    "failures": "9 failed, 5 errors, 1 skipped, 1 xfailed, 4 passed",
    "fixtures": "1 skipped, 1 xfailed, 11 passed",
    "quickstart": "4 passed",
    "scopes": "7 passed",
    "unittest": "1 skipped, 1 xfailed, 5 passed",
}
"""What the examples come to that need no server, which a browser cannot be."""


@pytest.fixture(params=front_ends.METADATA)
def front_end(request, tmp_path):
    with live.started(tmp_path, loaded=False) as kernel:
        front_end = front_ends.FrontEnd(kernel, request.param)
        front_end.run("%load_ext nbxunit", "load")
        yield front_end


def test_an_example_in_each_front_end(front_end):
    """The first example has the same results whatever a front end tells of its cells."""
    for cell, source in front_ends.code_cells(examples.FILES["quickstart"]):
        reply = front_end.run(source, cell)
        assert not reply.error, reply.text
    assert re.search(r"^4 passed in", reply.text, re.MULTILINE)


def test_an_edited_hook_in_each_front_end(front_end):
    """A hook cell that was edited replaces what it was, wherever a front end tells its cells apart."""
    front_end.run("calls = []", "calls")
    front_end.run("%%xunit_setup\ncalls.append(1)", "hook")
    front_end.run("%%xunit_setup\ncalls.append(2)", "hook")
    front_end.run("%%xunit_test test_a\npass", "test")
    told_apart = front_end.name != "no ids"
    assert front_end.run("calls", "look").text.strip() == ("[2]" if told_apart else "[1, 2]")


def test_a_refused_cell_in_each_front_end(front_end):
    """A cell that makes no sense shows its own line and no frame, whoever handles exceptions."""
    reply = front_end.run("%%xunit_setup\nyield 1", "hook")
    assert reply.error == "SyntaxError"
    assert "yield cannot stand in a setup cell" in reply.text
    assert "declare(" not in reply.text


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_an_installation_changes_nothing(path):
    """What nbxunit requires is what a platform has, pytest aside, which may be too old or missing."""
    pins = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", path.read_text()))
    have = {canonicalize_name(name): version for name, version in pins.items()}
    for requirement in map(Requirement, requires("nbxunit") or ()):
        is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_needed and requirement.name != "pytest":
            assert requirement.specifier.contains(have[canonicalize_name(requirement.name)])


def test_the_guide_runs(tmp_path):
    """The guide to platforms is a notebook whose cells run, and whose test passes."""
    shutil.copy(examples.GUIDE / "17-platforms.ipynb", tmp_path)
    shell = Shell(tmp_path)
    assert shell.run("--check-execution", "17-platforms.ipynb").counts == {"passed": 2}


# --- systems ---


@pytest.fixture(params=["fakemac", "fakewindows"])
def lacking(request, tmp_path):
    """Runs of nbxunit without what macOS lacks, or Windows."""
    folder = tmp_path / "work"
    folder.mkdir()
    shell = Shell(folder)
    shell.env["PYTHONPATH"] = str(HERE / "helpers" / request.param)
    return shell


def test_kernels_come_and_go(lacking):
    """Where the system lacks calls, kernels come and go, and leave nothing of what cells have started."""
    for number in range(4):
        lacking.write(
            f"n{number}.ipynb", "def test_a(): pass", "import os\nassert not hasattr(os, 'waitid')"
        )
    lacking.write(
        "starts.ipynb",
        "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)",
        "def test_b(): pass",
    )
    result = lacking.run("-n", "2")
    assert result.counts == {"passed": 5}, result.output
    deadline = time.monotonic() + 5
    while lacking.kernels() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not lacking.kernels()


def test_a_test_that_hangs(lacking):
    """A test whose time is over is interrupted, and those behind it run."""
    lacking.write(
        "hangs.ipynb",
        "import time\ndef test_a(): time.sleep(60)\ndef test_b(): pass",
    )
    result = lacking.run("--test-timeout", "2")
    assert result.counts == {"failed": 1, "passed": 1}, result.output


def test_a_killed_kernel(lacking):
    """The end of a kernel is told with its signal."""
    lacking.write(
        "dies.ipynb", "import os, signal\ndef test_a(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    result = lacking.run()
    assert result.exit == 1
    assert "SIGKILL" in result.output


def test_marked_processes_end_without_proc(tmp_path, monkeypatch):
    """Without /proc, psutil finds what a kernel has started; what is not marked goes on."""
    pytest.importorskip("psutil")
    monkeypatch.setattr(processes, "has_proc", lambda: False)
    started = [
        subprocess.Popen(["sleep", "60"], env={**os.environ, processes.KERNEL_ID: mark})
        for mark in (f"{tmp_path}-dead", f"{tmp_path}-alive")
    ]
    try:
        processes.kill_marked(f"{tmp_path}-dead")
        assert started[0].wait(5) == -9
        assert started[1].poll() is None
    finally:
        for process in started:
            process.kill()
            process.wait()


# --- JupyterLite ---


def _run(*words, cwd):
    return subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """The folders of Pyodide and of wheels, as npm and pip give them."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs npm and Node")
    folder = tmp_path_factory.mktemp("lite")
    done = _run(npm, "install", "--no-audit", "--no-fund", PYODIDE, cwd=folder)
    if done.returncode:
        pytest.skip(f"npm does not install Pyodide: {done.stderr[-500:]}")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--only-binary=:all:",
        "-d",
        folder / "wheels",
    ]
    pure = [
        "--python-version",
        "3.14",
        "--platform",
        "any",
        "--implementation",
        "py",
        "--abi",
        "none",
    ]
    done = _run(*pip, *pure, "ipython", "pytest", "comm", cwd=folder)
    kernel = _run(*pip, "--no-deps", LITE, cwd=folder)
    if done.returncode or kernel.returncode:
        pytest.skip(
            f"pip does not download what JupyterLite has: {done.stderr}{kernel.stderr}"[-500:]
        )
    (built,) = (folder / "wheels").glob("jupyterlite*.whl")
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            if re.search(r"/pyodide_kernel-[^/]*\.whl$", name):
                (folder / "wheels" / Path(name).name).write_bytes(archive.read(name))
    built.unlink()
    _zip_nbxunit(folder / "wheels" / "nbxunit.whl")
    return folder


def _zip_nbxunit(path):
    """The package as it is imported here; whether from a checkout or a wheel."""
    import nbxunit

    package = Path(nbxunit.__file__).parent
    with zipfile.ZipFile(path, "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, Path("nbxunit") / file.relative_to(package))


def _in_lite(lite, notebooks, *names, switches=True):
    """What stands below each cell; with or without a browser that `switches` stacks."""
    known = _run("node", "--v8-options", cwd=lite).stdout
    flags = [
        flag
        for flag in ("--experimental-wasm-jspi", "--experimental-wasm-stack-switching")
        if flag in known
    ]
    script = HERE / "lite" / "run.mjs"
    done = _run(
        "node", *(flags[:1] if switches else []), script, lite / "node_modules" / "pyodide",
        lite / "wheels", notebooks, *names, cwd=lite,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _awaiting(folder):
    """A notebook whose tests await, and whose last cell runs them; the name of its file."""
    awaiting = "import asyncio\nawait asyncio.sleep(0.01)\nassert asyncio.get_running_loop()"
    sources = [
        "%load_ext nbxunit",
        *(f"%%xunit_test test_{name}\n{awaiting}" for name in "ab"),
        "%xunit_run",
    ]
    cells = [{"cell_type": "code", "id": f"c{i}", "source": text} for i, text in enumerate(sources)]
    (folder / "awaits.ipynb").write_text(json.dumps({"cells": cells}))
    return "awaits.ipynb"


def test_jupyterlite(lite, tmp_path):
    """In a real Pyodide, with JupyterLite's own kernel, each cell does what it does here; tests await."""
    folder = examples.copy(tmp_path)
    shown = _in_lite(lite, folder, *(f"{name}.ipynb" for name in RUN_ALL), _awaiting(folder))
    for name, counts in RUN_ALL.items():
        cells = shown[f"{name}.ipynb"]
        assert [cell for cell, texts in cells.items() if texts[-1]] == []
        assert re.search(rf"(?m)^{counts} in", "\n".join(cells["run-all"]))
    assert "2 passed" in "\n".join(shown["awaits.ipynb"]["c3"])


def test_jupyterlite_without_switches(lite, tmp_path):
    """Where the browser does not switch stacks, tests that await say what they need."""
    name = _awaiting(tmp_path)
    shown = _in_lite(lite, tmp_path, name, switches=False)[name]
    assert "needs a browser that switches stacks" in "\n".join(shown["c3"])
