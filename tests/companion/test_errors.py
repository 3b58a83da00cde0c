"""What a companion is told that makes no sense, and what becomes of tests where cells fail."""

from __future__ import annotations

import signal
import time

import companion_notebooks
import pytest
from shells import Shell

BAD = {
    "missing": (
        'pytestmark = pytest.mark.notebook("../nb/sals.ipynb")',
        "test_missing.py, line 3: there is no notebook '../nb/sals.ipynb'; there is: awaits.ipynb, broken.ipynb",
    ),
    "variable": (
        'PATH = "../nb/names.ipynb"\npytestmark = pytest.mark.notebook(PATH)',
        "test_variable.py, line 4: the path must be a literal text",
    ),
    "no_call": (
        "pytestmark = pytest.mark.notebook",
        "test_no_call.py, line 3: the mark needs the path of a notebook",
    ),
    "language": (
        'pytestmark = pytest.mark.notebook("../nb/julia.ipynb")',
        "test_language.py, line 3: julia.ipynb is in julia",
    ),
    "kernels": (
        (
            'pytestmark = [pytest.mark.notebook("../nb/names.ipynb")]\n'
            '@pytest.mark.notebook("../nb/other.ipynb")\ndef test_b(notebook): pass'
        ),
        "its notebooks ask for several kernels: python3 (names.ipynb), elsewhere (other.ipynb)",
    ),
    "scope": (
        'pytestmark = pytest.mark.notebook("../nb/names.ipynb", scope="klass")',
        "scope is module or class or function, not 'klass'",
    ),
    "word": (
        'pytestmark = pytest.mark.notebook("../nb/names.ipynb", skope="class")',
        "unexpected keyword argument 'skope'",
    ),
    "parameter": (
        'pytestmark = pytest.mark.notebook("../nb/report.ipynb", parameters={"row": 1})',
        "the notebook has no parameter 'row'; did you mean rows?",
    ),
    "hook": (
        'pytestmark = pytest.mark.notebook("../nb/names.ipynb")\ndef setup_module(notebook): pass',
        "test_hook.py, line 4: setup_module gets the module from pytest, and not the notebook",
    ),
    "old": (
        'pytestmark = pytest.mark.notebook("../nb/old.ipynb")',
        "is in nbformat 3; convert it with",
    ),
    "cell": (
        (
            'pytestmark = pytest.mark.notebook("../nb/names.ipynb")\n'
            'def test_b(notebook): notebook.run("nix")'
        ),
        "names.ipynb has no cell 'nix'; its tags are: none",
    ),
    "attribute": (
        (
            'pytestmark = pytest.mark.notebook("../nb/names.ipynb")\n'
            'def test_b(notebook): notebook["nix"]'
        ),
        "names.ipynb has no name 'nix'",
    ),
}
"""What a module says behind its import of pytest, and what the report says of it."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What a run of all bad modules prints, and of a good one among them."""
    shell = Shell(tmp_path_factory.mktemp("project"))
    companion_notebooks.write(shell.folder / "nb")
    companion_notebooks.write_one(shell.folder / "nb/broken.ipynb", [("x = 3",), ("y = x\n1 / 0",)])
    for name, spec in (("julia", {"name": "julia", "language": "julia"}), ("other", {"name": "elsewhere"})):  # fmt: skip  # noqa: E501
        companion_notebooks.write_one(
            shell.folder / f"nb/{name}.ipynb", [("1",)], kernelspec={"display_name": name, **spec}
        )
    (shell.folder / "nb/old.ipynb").write_text('{"nbformat": 3, "metadata": {}, "worksheets": []}')
    (shell.folder / "tests").mkdir()
    test = "\n\ndef test_a(notebook):\n    assert notebook\n"
    for name, (source, _) in BAD.items():
        (shell.folder / f"tests/test_{name}.py").write_text(f"import pytest\n\n{source}{test}")
    mark = 'pytestmark = pytest.mark.notebook("../nb/{}.ipynb")'
    for name in ("names", "broken"):
        source = f"import pytest\n\n{mark.format(name)}{test}{test.replace('test_a', 'test_z')}"
        (shell.folder / f"tests/test_{name}.py").write_text(source)
    (shell.folder / "tests/conftest.py").write_text(
        "import pytest\n\n@pytest.hookimpl\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        if 'test_from_conftest' in item.nodeid:\n"
        "            item.add_marker(pytest.mark.notebook('../nb/names.ipynb'))\n"
    )
    (shell.folder / "tests/test_from_conftest.py").write_text("def test_a(): pass\n")
    return shell.run("tests", "-v", "-n", "2", timeout=180)


@pytest.mark.parametrize("name", BAD)
def test_bad_module(run, name):
    """The report of a module that makes no sense says where, what is wrong, and what there is."""
    assert BAD[name][1] in run.output, run.output
    assert f"test_{name}.py" in run.output


def test_frames_of_ours(run):
    """An error shows the test that asks for what there is not, and no line of nbxunit's own."""
    assert "/nbxunit/" not in run.output


def test_the_other_modules_run(run):
    """Beside modules that make no sense, the others run; the exit code says that something failed."""
    assert "tests/test_names.py::test_a PASSED" in run.output
    assert run.exit == 1


def test_mark_of_a_conftest(run):
    """A mark that no static look finds is an error of its test, and says what to write."""
    assert "tests/test_from_conftest.py::test_a ERROR" in run.output
    assert "the mark `notebook` must stand in the test module itself" in run.output


def test_cell_that_fails_in_the_fixture(run):
    """A cell that fails is an error of the tests that asked for the notebook, with cell and line."""
    assert "tests/test_broken.py::test_a ERROR" in run.output
    assert "tests/test_broken.py::test_z ERROR" in run.output
    assert "nb/broken.ipynb cell 2, line 2: ZeroDivisionError" in run.output


@pytest.fixture
def shell(tmp_path):
    """A project with a notebook whose third cell does what a test says."""
    return Shell(tmp_path)


def project(shell: Shell, cell: str, test: str = "def test_a(notebook): pass") -> None:
    cells = [("import os, time",), ("x = 1",), (cell,)]
    companion_notebooks.write_one(shell.folder / "slow.ipynb", cells)
    source = f'import pytest\npytestmark = pytest.mark.notebook("slow.ipynb")\n{test}\n'
    (shell.folder / "test_slow.py").write_text(source)


@pytest.mark.parametrize("options", [[], ["--no-fork"]], ids=["forked", "spawned"])
def test_a_kernel_that_dies_in_a_cell(shell, options):
    """The report of a kernel that died while the fixture executed cells names the cell."""
    project(shell, "os._exit(3)", "def test_0(): pass\ndef test_a(notebook): pass")
    result = shell.run("test_slow.py", "-v", *options)
    assert "test_slow.py::test_0 PASSED" in result.output
    assert "the kernel died" in result.output
    assert "in slow.ipynb cell 3" in result.output
    assert not shell.kernels()


def test_a_time_limit(shell):
    """A test whose notebook takes longer than a test may fails, and the report shows the cell's line."""
    project(shell, "y = 1\ntime.sleep(60)", "def test_a(notebook): pass\ndef test_b(): pass")
    result = shell.run("test_slow.py", "-v", "--test-timeout", "1.5")
    assert "took longer than 1.5 s" in result.output
    assert "cell 3, line 2" in result.output
    assert "test_slow.py::test_b PASSED" in result.output


@pytest.mark.parametrize("limits", [[], ["--test-timeout", "30"]], ids=["alone", "beside"])
def test_a_time_limit_of_cells(shell, limits):
    """A cell that takes longer than a cell may is an error of all who asked, executed once, at its line."""
    project(
        shell, "print('begun', file=open('runs', 'a'))\ntry: time.sleep(60)\nexcept Exception: pass",
        "def test_a(notebook): pass\ndef test_b(): pass\ndef test_c(notebook): pass\n"
        "def test_d():\n    import time; time.sleep(1.2)",
    )  # fmt: skip
    result = shell.run("test_slow.py", "-v", "--cell-timeout", "1", *limits)
    assert "slow.ipynb cell 3 took longer than 1 s and was interrupted" in result.output
    assert "cell 3, line 2" in result.output
    assert "test_a ERROR" in result.output
    assert "test_c ERROR" in result.output
    assert "2 passed, 2 errors" in result.output
    assert (shell.folder / "runs").read_text() == "begun\n"


def test_a_cell_that_keeps_the_interrupt_of_its_limit(shell):
    """A cell that keeps the interrupt of its limit to itself fails, too, and the tests behind it run."""
    project(
        shell, "try: time.sleep(60)\nexcept BaseException: pass",
        "def test_a(notebook): pass\ndef test_b(): pass",
    )  # fmt: skip
    result = shell.run("test_slow.py", "-v", "--cell-timeout", "1")
    assert "slow.ipynb cell 3 took longer than 1 s and was interrupted" in result.output
    assert "test_slow.py::test_b PASSED" in result.output


def test_an_interrupt(shell):
    """An interrupt while cells run names the test and the cell, and tears down."""
    project(
        shell, "open('runs', 'w').close()\ntime.sleep(60)",
        "def teardown_module(): open('torn', 'w').close()\ndef test_a(notebook): pass",
    )  # fmt: skip
    process = shell.start("test_slow.py")
    while not (shell.folder / "runs").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)  # the host looks ten times a second where a kernel is
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "interrupted at test_slow.py::test_a, in slow.ipynb cell 3" in output
    assert (shell.folder / "torn").exists()


def test_without_nbxunit(shell):
    """Plain pytest says in one line how to run a companion."""
    import subprocess
    import sys

    project(shell, "1")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers"], cwd=shell.folder, env=shell.env,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "run the tests with: pytest --nbxunit, or nbxunit run" in done.stdout
    assert done.returncode == 1
