"""A run through a cluster says what a run on this machine says, and leaves what it leaves."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import clusters
import nbformat
import pytest
import suite
from shells import Shell

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LOAD = "%load_ext nbxunit"
SLOW = "import time"
MAKES_TESTS = "%%xunit_test test_n\nassert n == 1"
COMPANION = """\
import pytest
pytestmark = pytest.mark.notebook("shop.ipynb")
def test_total(notebook):
    assert notebook.total == 6
def test_wrong(notebook):
    assert notebook.total == 7
"""


def without_times(text):
    """A run's output without what is never the same: times, addresses, what it says while it waits."""
    text = re.sub(r"\b0x[0-9a-f]+", "0x", text)
    text = re.sub(r"(?m)^nbxunit: .* silent for \d+ s: .*\n+", "", text)
    text = re.sub(r"\d+\.\d+ ?s(econds)?\b( \(\d:\d\d:\d\d\))?", "TIME", text)
    return re.sub(r"=+( .* )=+", r"=\1=", text)


@pytest.fixture
def twins(tmp_path, cluster):
    """Two folders with the same files: in one, options run on this machine, in the other on the cluster."""

    def run(make, *words, before=()):
        results = []
        for kind, more in (("here", ("-n", "2")), ("there", ("--dask", str(cluster.file)))):
            folder = tmp_path / kind / "work"
            if not folder.exists():
                folder.mkdir(parents=True)
                make(folder)
            shell = Shell(folder)
            for each in before:
                shell.run(*each, *more)
            results.append((folder, shell.run(*words, *more)))
        (here, local), (there, remote) = results
        expected = without_times(local.output)
        assert without_times(remote.output).replace(str(there), str(here)) == expected
        assert remote.exit == local.exit
        return here, there

    return run


def mixed(folder):
    suite.write_suite(folder, notebooks=True)


@pytest.mark.parametrize(
    "words",
    [
        "-v", "-x", "--maxfail=2", "-rA", "-s", "-k number", "-m slow", "--collect-only -q",
        "test_alpha.ipynb::test_slow", "test_alpha.ipynb::nothing", "-q --tb=short",
        "--deselect test_gamma.ipynb::test_second", "--strict-cells -W error",
    ],
)  # fmt: skip
def test_options(twins, words):
    """A mixed suite prints the same, whatever of pytest's options is given."""
    twins(mixed, *words.split())


@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_failures_of_the_last_run(twins, option):
    """`--lf` runs what failed last, `--sw` goes on from there."""
    twins(mixed, option, "-v", before=[() if option == "--lf" else (option,)])


def test_reports(twins):
    """The JUnit file is the same but for times, and so are the executed notebooks."""
    here, there = twins(mixed, "--junitxml=report.xml", "--save", "out")
    told = [
        [
            (
                each.tag,
                each.get("name"),
                each.get("message"),
                without_times(each.text or "").replace(str(at), ""),
            )
            for each in ET.parse(at / "report.xml").iter()
        ]
        for at in (here, there)
    ]
    assert told[0] == told[1]
    saved = sorted(each.name for each in (here / "out").iterdir())
    assert saved == sorted(each.name for each in (there / "out").iterdir())
    assert saved
    for name in saved:
        cells = [nbformat.read(at / "out" / name, 4).cells for at in (here, there)]
        assert [each.source for each in cells[0]] == [each.source for each in cells[1]]
        assert [len(each.outputs) for each in cells[0]] == [len(each.outputs) for each in cells[1]]


def test_time_limits(twins):
    """Cells, tests and notebooks that take too long are told as on this machine."""

    def make(folder):
        slow = "%%xunit_test test_slow\ntime.sleep(60)"
        Shell(folder).write("a.ipynb", LOAD, SLOW, slow, MAKES_TESTS.replace("n == 1", "True"))
        Shell(folder).write("b.ipynb", LOAD, SLOW, "time.sleep(60)", slow)

    twins(make, "--tb=no", "--cell-timeout", "2", "--test-timeout", "2")


def test_parameters_and_outputs(twins):
    """Parameters, variants and the comparison of outputs go to the workers."""

    def make(folder):
        Shell(folder).write("a.ipynb", LOAD, "n = 1", "print(n)", MAKES_TESTS)
        (folder / "one.json").write_text('{"n": 1}')
        (folder / "two.json").write_text('{"n": 2}')

    twins(make, "a.ipynb", "-v", "--param", "n=2")
    twins(make, "a.ipynb", "-v", "--params", "one.json", "--params", "two.json")
    here, there = twins(make, "a.ipynb", "-v", "--update-outputs")
    assert (here / "a.ipynb").read_text() == (there / "a.ipynb").read_text()


def test_companions(twins):
    """A test module whose notebook runs in a kernel runs in one of a worker."""

    def make(folder):
        Shell(folder).write("shop.ipynb", "total = 1 + 2 + 3")
        (folder / "test_shop.py").write_text(COMPANION)

    twins(make, "-v")


def test_coverage(twins):
    """What workers' kernels measure is in the report."""

    def make(folder):
        (folder / "shop.py").write_text(
            "def used():\n    return 1\n\ndef unused():\n    return 2\n"
        )
        test = "%%xunit_test test_used\nimport shop\nassert shop.used() == 1"
        Shell(folder).write("a.ipynb", LOAD, test)

    twins(make, "a.ipynb", "--cov=shop", "--cov-report=term-missing")


def test_the_environment(cluster, shell):
    """Named variables are sent, others are the worker's."""
    names = "(os.environ.get('SENT'), os.environ.get('KEPT'), 'WORKER' in os.environ)"
    test = f"%%xunit_test test_x\nassert {names} == ('yes', None, True)"
    shell.write("a.ipynb", LOAD, "import os", test)
    shell.env |= {"SENT": "yes", "KEPT": "here"}
    done = shell.run("a.ipynb", "--dask", str(cluster.file), "--dask-env", "SENT")
    assert done.counts == {"passed": 1}, done.output


def test_kernels_are_forked(cluster, shell):
    """A nanny's variables do not keep kernels from being forked."""
    test = "%%xunit_test test_x\nassert b'forkserver' in open('/proc/self/cmdline', 'rb').read()"
    shell.write("a.ipynb", LOAD, test)
    done = shell.run("a.ipynb", "--dask", str(cluster.file))
    assert done.counts == {"passed": 1}, done.output


def test_the_next_kernel_starts_while_the_last_one_ends(tmp_path, shell):
    """On a thread of a worker a kernel starts while another one ends, and none of its cells runs before that."""
    ends = "import atexit, pathlib, time\natexit.register(lambda: (time.sleep(1), pathlib.Path('end').touch()))"
    ended = "%%xunit_test test_y\nassert psutil.Process().create_time() < pathlib.Path('end').stat().st_mtime"
    shell.write("a.ipynb", LOAD, ends, "%%xunit_test test_x\npass")
    shell.write("b.ipynb", LOAD, "import pathlib, psutil\npathlib.Path('end').stat()", ended)
    (tmp_path / "cluster").mkdir()
    with clusters.cluster(tmp_path / "cluster", "one") as cluster:
        done = shell.run("--dask", str(cluster.file))
    assert done.counts == {"passed": 2}, done.output


def test_two_hosts_on_one_thread(tmp_path, shell):
    """Of two hosts, too, a notebook begins on a thread of a worker when the last one's kernel has ended."""
    (tmp_path / "cluster").mkdir()
    notes = f"open({str(tmp_path / 'notes')!r}, 'a').write"
    ends = f"atexit.register(lambda: (time.sleep(0.5), {notes}('end ')))"
    for name in ("a.ipynb", "b.ipynb"):
        shell.write(
            name, LOAD, f"import atexit, time\n{ends}", f"%%xunit_test test_x\n{notes}('test ')"
        )
    with clusters.cluster(tmp_path / "cluster", "one") as cluster:
        runs = [shell.start("--dask", str(cluster.file)) for _ in range(2)]
        for run in runs:
            output, _ = run.communicate(timeout=60)
            assert run.returncode == 0, output
    assert (tmp_path / "notes").read_text() == 4 * "test end "


@pytest.mark.parametrize("folder", ["quickstart.ipynb", "guide"])
def test_the_notebooks_that_teach(twins, folder):
    """They print the same here and there."""

    def make(at):
        shutil.copytree(ROOT / "notebooks", at, dirs_exist_ok=True)

    twins(make, folder)
