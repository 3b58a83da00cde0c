"""What a person can get wrong with a cluster: said at once, with what to try."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import clusters
import pytest

import nbxunit

pytestmark = pytest.mark.slow

LOAD = "%load_ext nbxunit"
PASSES = "%%xunit_test test_x\npass"
MODULES = """
import asyncio, os, distributed
def nothing(): return 3
def raises(): raise RuntimeError("no such queue")
def client(): return distributed.Client(os.environ["SCHEDULER"])
async def later(): return await distributed.Client(os.environ["SCHEDULER"], asynchronous=True)
def outside(): return distributed.Client(os.environ["SCHEDULER"], asynchronous=True)
def asynchronous(): return asyncio.run(later())
def closed():
    made = client()
    made.close()
    return made
"""


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("tcp://127.0.0.1:9", "no scheduler answers within 1 s"),
        ("127.0.0.1:9", "no scheduler answers within 1 s"),
        ("strange://127.0.0.1:9", "no scheduler answers within 1 s"),
        ("none.json", "there is no scheduler file"),
        ("broken.json", "broken.json is no scheduler file"),
        ("places:nothing", "places:nothing() returned int, not a distributed.Client"),
        ("places:raises", "places:raises() raised RuntimeError: no such queue"),
        ("places:missing", "places:missing cannot be imported"),
        ("no_places:name", "no_places:name cannot be imported: No module named 'no_places'"),
    ],
)
def test_what_names_no_cluster(shell, where, why):
    """An address where nothing listens, a file that is none, a function without a client: a usage error."""
    shell.be_impatient()
    shell.write("a.ipynb", LOAD, PASSES)
    (shell.folder / "places.py").write_text(MODULES)
    (shell.folder / "broken.json").write_text("{")
    done = shell.run("a.ipynb", "--dask", where, width=300)
    assert done.exit == 4, done.output
    assert f"ERROR: --dask {where}: " in done.output
    assert why in done.output
    assert "Traceback" not in done.output
    assert done.seconds < 20


def test_a_function_that_returns_a_client(cluster, shell):
    """Its cluster is used; a client that is not connected is a usage error."""
    shell.write("a.ipynb", LOAD, PASSES)
    (shell.folder / "places.py").write_text(MODULES)
    shell.env["SCHEDULER"] = json.loads(cluster.file.read_text())["address"]
    assert shell.run("a.ipynb", "--dask", "places:client").counts == {"passed": 1}
    for name, why in (
        ("closed", "closed() returned a client that is not connected"),
        ("later", "later is async; it is to return a client, without asynchronous=True"),
        ("outside", "outside() raised RuntimeError"),  # that is distributed's own word
        ("asynchronous", "asynchronous() returned an asynchronous client; leave out"),
    ):
        done = shell.run("a.ipynb", "--dask", f"places:{name}", width=200)
        assert done.exit == 4, done.output
        assert f"--dask places:{name}: places:{why}" in done.output
        assert "Traceback" not in done.output
        assert "never awaited" not in done.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--pdb"], "no debugger reaches a worker"),
        (["--trace"], "no debugger reaches a worker"),
        (["--dask-silence", "0"], "--dask-silence: 0.0 is not a number from 1 on"),
        (["--dask-again", "-1"], "--dask-again: -1 is not a number from 0 on"),
        (["-o", "nbxunit_dask_resources=*.ipynb GPU"], "is not GLOB NAME=NUMBER"),
    ],
)
def test_options_that_make_no_sense(shell, words, why):
    """They are a usage error before anything is connected."""
    shell.write("a.ipynb", LOAD, PASSES)
    done = shell.run("a.ipynb", "--dask", "tcp://127.0.0.1:9", *words, width=200)
    assert done.exit == 4, done.output
    assert why in done.output
    assert done.seconds < 8


def test_workers_of_xdist(shell):
    """A cluster and workers of pytest-xdist are one too many."""
    shell.write("a.ipynb", LOAD, PASSES)
    words = [
        sys.executable,
        "-m",
        "pytest",
        "--nbxunit",
        "-n",
        "2",
        "--nbxunit-dask",
        "127.0.0.1:9",
    ]
    done = subprocess.run(
        words, cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "the cluster has workers of its own" in done.stderr + done.stdout


def test_a_resource_that_no_worker_has(cluster, shell):
    """It is a usage error with a table of the workers, whether the ini or the notebook wants it."""
    shell.write("a.ipynb", LOAD, PASSES)
    words = ("--dask", str(cluster.file), "-o", "nbxunit_dask_resources=a*.ipynb GPU=1")
    done = shell.run("a.ipynb", *words, width=200)
    assert done.exit == 4
    assert "--dask: a.ipynb: no worker has the resources GPU=1\n  tcp://" in done.output
    path = shell.write("b.ipynb", LOAD, PASSES)
    notebook = json.loads(path.read_text())
    notebook["metadata"]["nbxunit"] = {"resources": {"MEMORY": 5}}
    path.write_text(json.dumps(notebook))
    done = shell.run("b.ipynb", "--dask", str(cluster.file), width=200)
    assert done.exit == 4
    assert "b.ipynb: no worker has the resources MEMORY=5" in done.output


def test_a_resource_that_a_worker_has(tmp_path, shell):
    """The notebook runs there, and the others anywhere."""
    where = "import os, pathlib\npathlib.Path(f'{NAME} {os.environ[\"WORKER\"]}').touch()"
    for name in "abc":
        shell.write(f"{name}.ipynb", LOAD, f"NAME = {name!r}", where, PASSES)
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one") as cluster:
        cluster.start("two", "--resources", "GPU=1")
        words = ("--dask", str(cluster.file), "-o", "nbxunit_dask_resources=[ab].ipynb GPU=1")
        done = shell.run(*words)
    assert done.counts == {"passed": 3}, done.output
    assert {"a two", "b two"} <= {each.name for each in shell.folder.iterdir()}


def _python(folder: Path, *, without: str) -> str:
    """A Python with all that this one has installed, but for what is called `without`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if without not in each.name and not (packages / each.name).exists():
            (packages / each.name).symlink_to(each)
    return str(folder / "bin" / "python")


def test_a_worker_without_nbxunit(tmp_path, shell):
    """It is a usage error that names the worker, and the worker lives on."""
    shell.write("a.ipynb", LOAD, PASSES)
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one") as cluster:
        cluster.start("bare", python=_python(tmp_path / "bare", without="nbxunit"))
        done = shell.run("a.ipynb", "--dask", str(cluster.file), width=200)
        assert cluster.processes["bare"].poll() is None
    assert done.exit == 4, done.output
    assert "1 of 2 workers cannot run notebooks\n  tcp://" in done.output
    assert "nbxunit is not installed there" in done.output


def test_a_worker_of_another_version(tmp_path, shell):
    """A worker that joins late, and speaks otherwise, is an error that names it."""
    python = _python(tmp_path / "other", without="_editable_")
    packages = next((tmp_path / "other").glob("lib/python*/site-packages"))
    copy = packages / "nbxunit"
    if copy.is_symlink():
        copy.unlink()
    shutil.copytree(Path(nbxunit.__file__).parent, copy)
    remote = copy / "host/running/remote.py"
    text, count = re.subn(r"(?m)^VERSION = \d+$", "VERSION = 99", remote.read_text())
    assert count == 1
    remote.write_text(text)
    shell.write("a.ipynb", LOAD, PASSES)
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder) as cluster:
        run = shell.start("a.ipynb", "--dask", str(cluster.file))
        clusters.until(lambda: "Receive client" in (folder / "scheduler/log").read_text())
        cluster.start("other", python=python)
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 1, output
    assert "1 of 1 workers cannot run notebooks" in output
    assert "is of another version than this one" in output
