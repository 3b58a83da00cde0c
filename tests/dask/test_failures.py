"""What can happen to a cluster while notebooks run there: told soon, nothing twice, nothing left."""

from __future__ import annotations

import os
import re
import signal
import time

import clusters
import pytest
from clusters import until

pytestmark = pytest.mark.slow

LOAD = "%load_ext nbxunit"
WHERE = """\
import os, pathlib, time
def note(text):
    with open("notes", "a") as file:
        file.write(f"{text}\\n")
"""
TEARDOWN = "%%xunit_teardown module\nnote(f'{NAME} torn down')"
PASSES = "%%xunit_test test_first\nnote(f'{NAME} first')"
HANGS = (
    "%%xunit_test test_hangs\nnote(f'{NAME} hangs in {os.environ[\"WORKER\"]}')\ntime.sleep(120)"
)
LAST = "%%xunit_test test_last\nnote(f'{NAME} last')"


def cells(name, *tests):
    return [LOAD, f"{WHERE}NAME = {name!r}", "%%xunit_setup module\npass", TEARDOWN, *tests]


def notes(shell):
    file = shell.folder / "notes"
    return file.read_text().splitlines() if file.exists() else []


def hanging_in(shell):
    """The worker in which a test hangs, when it does, and has had a moment to tell it."""
    until(lambda: "hangs in" in "\n".join(notes(shell)))
    time.sleep(1)
    return re.search(r"hangs in (\w+)", "\n".join(notes(shell)))[1]


def ended(process, timeout=40):
    output, _ = process.communicate(timeout=timeout)
    return output


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_is_told(doomed, shell, number):
    """What passed stays, what ran and what is behind are errors, other notebooks run, no kernel is left."""
    shell.write("a.ipynb", *cells("a", PASSES, HANGS, LAST))
    shell.write("b.ipynb", *cells("b", PASSES))
    run = shell.start("--dask", str(doomed.file))
    worker = hanging_in(shell)
    begin = time.monotonic()
    doomed.signal(worker, number)
    output = ended(run)
    assert time.monotonic() - begin < 12
    assert run.returncode == 1
    assert "2 passed, 2 errors" in output, output
    assert re.search(r"ERROR a.ipynb::test_hangs - the worker tcp://\S+ was lost", output)
    assert "ERROR a.ipynb::test_last" in output
    assert notes(shell).count("a first") == 1
    assert "a last" not in notes(shell)
    until(lambda: "a torn down" in notes(shell) or number == signal.SIGKILL)
    doomed.processes[worker].wait(20)
    survivor = "one" if worker == "two" else "two"
    doomed.signal(survivor, signal.SIGTERM)
    until(lambda: not doomed.left())


def test_a_lost_notebook_starts_again_while_nothing_of_it_is_shown(tmp_path, shell):
    """With --dask-again it runs once more on another worker, and the summary says so."""
    shell.write("a.ipynb", LOAD, f"{WHERE}NAME = 'a'",
                "note(f'hangs in {os.environ[\"WORKER\"]}')\nif len(open('notes').readlines()) < 2: time.sleep(120)",
                LAST)  # fmt: skip
    shell.be_impatient()
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one", words=("--no-nanny",)) as cluster:
        run = shell.start("a.ipynb", "--dask", str(cluster.file), "--dask-again", "1")
        assert hanging_in(shell) == "one"
        cluster.signal("one", signal.SIGKILL)
        time.sleep(3)
        cluster.start("two")
        output = ended(run)
    assert run.returncode == 0, output
    assert "1 passed" in output
    assert re.search(r"a.ipynb: the worker \S+ was lost, so it was started again", output)
    assert "s: waiting for a worker" in output
    assert notes(shell) == ["hangs in one", "hangs in two", "a last"]


def test_the_only_worker_dies_and_another_joins(tmp_path, shell):
    """The other notebooks wait for a worker, and run on the next; nothing runs twice."""
    shell.write("a.ipynb", *cells("a", PASSES, HANGS))
    shell.write("b.ipynb", *cells("b", PASSES))
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one", words=("--no-nanny",)) as cluster:
        run = shell.start("--dask", str(cluster.file))
        hanging_in(shell)
        cluster.signal("one", signal.SIGKILL)
        time.sleep(1)
        cluster.start("two")
        output = ended(run)
    assert run.returncode == 1
    assert "2 passed, 1 error" in output, output
    assert sorted(notes(shell)) == ["a first", "a hangs in one", "b first", "b torn down"]


def test_the_scheduler_dies(doomed, shell):
    """All that is left is an error at once, and the workers' notebooks are torn down."""
    for name in "abc":
        shell.write(f"{name}.ipynb", *cells(name, PASSES, HANGS, LAST))
    run = shell.start("--dask", str(doomed.file))
    until(lambda: sum("hangs in" in each for each in notes(shell)) == 2)
    time.sleep(1)
    begin = time.monotonic()
    doomed.signal("scheduler", signal.SIGKILL)
    output = ended(run)
    assert run.returncode == 1
    assert time.monotonic() - begin < 8
    assert "the scheduler of the cluster was lost" in output
    assert re.search(r"2 passed, [45] errors", output), output
    until(lambda: {"a torn down", "b torn down"} <= set(notes(shell)))
    until(lambda: not doomed.left())


def test_the_host_is_killed(doomed, shell):
    """The notebooks are torn down, and nothing of the run is left."""
    shell.write("a.ipynb", *cells("a", PASSES, HANGS, LAST))
    run = shell.start("--dask", str(doomed.file))
    hanging_in(shell)
    run.kill()
    run.communicate()
    until(lambda: "a torn down" in notes(shell), 10)
    until(lambda: not doomed.left(), 10)
    assert "a last" not in notes(shell)


def test_a_nanny_is_told_to_end(tmp_path, shell):
    """Its worker tears the notebook down, which is told as lost, and no kernel is left; the others run."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    shell.write("a.ipynb", *cells("a", PASSES, HANGS, LAST))
    shell.write("b.ipynb", *cells("b", PASSES))
    with clusters.cluster(folder, "one", "two") as nannies:
        run = shell.start("--dask", str(nannies.file))
        worker = hanging_in(shell)
        begin = time.monotonic()
        nannies.signal(worker, signal.SIGTERM)
        output = ended(run)
        assert time.monotonic() - begin < 12
        assert run.returncode == 1
        assert "2 passed, 2 errors" in output, output
        assert re.search(r"ERROR a.ipynb::test_hangs - the worker tcp://\S+ was lost", output)
        nannies.processes[worker].wait(20)
        until(lambda: "a torn down" in notes(shell))
        assert "a last" not in notes(shell)
        nannies.signal("one" if worker == "two" else "two", signal.SIGTERM)
        until(lambda: not nannies.left())


LOCAL = """
import distributed
def local():
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    return distributed.Client(cluster)
"""


def test_an_interrupt_that_a_local_cluster_gets_too(shell):
    """Ctrl-C goes to the workers of a LocalCluster as well; the kernels tear down, and nothing is left."""
    (shell.folder / "places.py").write_text(LOCAL)
    for name in "ab":
        shell.write(f"{name}.ipynb", *cells(name, PASSES, HANGS.replace("WORKER", "HOME"), LAST))
    run = shell.start("--dask", "places:local", start_new_session=True)
    until(lambda: sum("hangs in" in each for each in notes(shell)) == 2)
    time.sleep(1)
    begin = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    output = ended(run)
    assert time.monotonic() - begin < 12
    assert run.returncode == 2, output
    assert {"a torn down", "b torn down"} <= set(notes(shell))
    assert "a last" not in notes(shell)
    until(lambda: not shell.kernels())


def test_an_interrupt(cluster, shell):
    """Ctrl-C reaches the kernels, which tear down, and the run ends with status 2."""
    for name in "ab":
        shell.write(f"{name}.ipynb", *cells(name, PASSES, HANGS, LAST))
    run = shell.start("--dask", str(cluster.file))
    until(lambda: sum("hangs in" in each for each in notes(shell)) == 2)
    time.sleep(1)
    begin = time.monotonic()
    run.send_signal(signal.SIGINT)
    output = ended(run)
    assert time.monotonic() - begin < 10
    assert run.returncode == 2, output
    assert {"a torn down", "b torn down"} <= set(notes(shell))
    assert "a last" not in notes(shell)


def test_the_first_failure_ends_the_run(cluster, shell):
    """With -x the notebooks that run are torn down, and what has not begun does not begin."""
    fails = "%%xunit_test test_fails\nwhile 'b hangs' not in open('notes').read(): time.sleep(0.1)\nassert 0"
    shell.write("a.ipynb", *cells("a", PASSES, fails, LAST))
    shell.write("b.ipynb", *cells("b", HANGS, LAST))
    shell.write("c.ipynb", *cells("c", PASSES))
    done = shell.run("--dask", str(cluster.file), "-x")
    assert done.exit == 1
    assert "1 failed, 1 passed" in done.output
    assert "stopping after 1 failures" in done.output
    assert {"a torn down", "b torn down"} <= set(notes(shell))
    assert not {"a last", "b last", "c first"} & set(notes(shell))


def test_a_frozen_worker(doomed, shell):
    """A worker that does not answer is lost after the time that an option sets."""
    shell.write("a.ipynb", *cells("a", PASSES, HANGS, LAST))
    shell.write("b.ipynb", *cells("b", PASSES))
    run = shell.start("--dask", str(doomed.file), "--dask-silence", "3")
    worker = hanging_in(shell)
    begin = time.monotonic()
    doomed.signal(worker, signal.SIGSTOP)
    output = ended(run)
    assert run.returncode == 1
    assert time.monotonic() - begin < 20
    assert "2 passed, 2 errors" in output, output
    assert "has not answered for 3 s" in output


def test_a_file_that_is_not_there_or_differs(tmp_path, shell):
    """A notebook that a worker does not have is an error that names it."""
    changing = (
        "import pathlib\npathlib.Path('b.ipynb').unlink()\npathlib.Path('c.ipynb').write_text('{}')"
    )
    shell.write("a.ipynb", LOAD, f"{WHERE}NAME = 'a'\ntime.sleep(2)", changing, PASSES)
    shell.write("b.ipynb", *cells("b", PASSES))
    shell.write("c.ipynb", *cells("c", PASSES))
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one") as cluster:
        done = shell.run("--dask", str(cluster.file), "-n", "3")
    assert done.counts == {"passed": 1, "error": 2}, done.output
    assert re.search(r"the worker tcp://\S+ cannot read \S+b.ipynb", done.output)
    assert re.search(r"the worker tcp://\S+ has another file at \S+c.ipynb", done.output)


@pytest.mark.parametrize(
    ("frozen", "waiting", "lost"),
    [
        ("scheduler", "b", "the scheduler has not answered for 3 s"),
        ("one", "bcd", "no worker of the cluster has answered for 3 s"),
    ],
)
def test_a_cluster_that_does_not_answer(tmp_path, shell, frozen, waiting, lost):
    """A scheduler or an only worker is lost after an option's time, also for notebooks that no worker has begun."""
    shell.write("a.ipynb", *cells("a", PASSES, HANGS))
    for name in waiting:
        shell.write(f"{name}.ipynb", *cells(name, PASSES))
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one", words=("--no-nanny",)) as cluster:
        run = shell.start("--dask", str(cluster.file), "--dask-silence", "3")
        hanging_in(shell)
        begin = time.monotonic()
        cluster.signal(frozen, signal.SIGSTOP)
        output = ended(run, 60)
        assert time.monotonic() - begin < 30
    assert run.returncode == 1
    assert f"1 passed, {1 + len(waiting)} errors" in output, output
    assert lost in output
