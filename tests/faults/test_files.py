"""Files that nbxunit writes: whole, old or new, whatever happens; the executed notebook tells all that ran."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from many import LAST, Batch

HELLO = "print('hello')"
PASSES = "%%xunit_test test_a\npass"
LAST_CELL = "%%xunit_test test_last\npass"
HANGS = "%%xunit_test test_b\nimport time; time.sleep(60)"
SWALLOWS = """\
%%xunit_test test_b
import time
while True:
    try: time.sleep(60)
    except KeyboardInterrupt: pass
"""
DIES = "%%xunit_test test_b\nimport os; os._exit(3)"
DIED = "the kernel died (exit status 3)"
# name: the cells; what the saved notebook holds of them; what it does not hold
ENDS: dict[str, tuple[list[str], list[str], str]] = {
    "fails": (
        [HELLO, PASSES, "%%xunit_test test_b\nassert 0", LAST_CELL],
        ["hello", "test_a  passed", "test_b  failed", "test_last  passed"],
        "ERROR",
    ),
    "hangs": (
        [HELLO, PASSES, HANGS, LAST_CELL],
        ["hello", "test_a  passed", "test_b  failed", "took longer than 2 s", "test_last  passed"],
        "ERROR",
    ),
    "swallows": (
        [HELLO, PASSES, SWALLOWS, LAST_CELL],
        ["hello", "PASSED test_a", "ERROR swallows.ipynb::test_b", "took longer than 2 s"],
        "test_last",
    ),
    "dies": (
        [HELLO, PASSES, DIES, LAST_CELL],
        ["hello", "PASSED test_a", "ERROR dies.ipynb::test_b", DIED],
        "test_last",
    ),
    "cell_hangs": (
        [HELLO, PASSES, "print('began'); import time; time.sleep(60)", LAST_CELL],
        ["hello", "began", "ERROR cell_hangs.ipynb cell 3: cell 3 took longer than 2 s"],
        "PASSED",
    ),
    "cell_dies_amid_output": (
        [
            "import sys\nfor i in range(100): print(i, flush=True)",
            "display('shown'); import os; os._exit(3)",
            LAST_CELL,
        ],
        ['99\\n"', "'shown'", f"ERROR cell_dies_amid_output.ipynb cell 2: {DIED}"],
        "PASSED",
    ),
    "cell_dies": (
        [HELLO, PASSES, "import os; os._exit(3)", LAST_CELL],
        ["hello", f"ERROR cell_dies.ipynb cell 3: {DIED}"],
        "PASSED",
    ),
}


def outputs_of(path: Path) -> str:
    """The outputs of a saved notebook, as it stands in the file."""
    return "".join(json.dumps(cell["outputs"]) for cell in json.loads(path.read_text())["cells"])


@pytest.fixture(scope="module")
def batch(shells):
    """All of them in one run."""
    shell = shells()
    for name, (cells, _, _) in ENDS.items():
        shell.write(f"{name}.ipynb", *cells).chmod(0o640)
    return Batch(shell, "--save", "out", "--ignore=out", "--test-timeout=2", "--cell-timeout=2")


def test_the_run_goes_on(batch):
    """The notebook behind them runs and is saved, too; beside the notebooks nothing is written."""
    batch.went_on()
    saved = {path.name for path in (batch.folder / "out").iterdir()}
    assert saved == {f"{name}.ipynb" for name in (*ENDS, "zzz")}


@pytest.mark.parametrize("name", ENDS)
def test_what_ran_is_saved(batch, name):
    """However a run ends, the saved notebook has the outputs and results until then; the source stays."""
    _, held, not_held = ENDS[name]
    saved = batch.folder / "out" / f"{name}.ipynb"
    outputs = outputs_of(saved)
    for words in held:
        assert words in outputs
    assert not_held not in outputs
    assert saved.stat().st_mode & 0o777 == 0o640
    source = json.loads((batch.folder / f"{name}.ipynb").read_text())
    assert not any(cell["outputs"] for cell in source["cells"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_save_after_a_signal(shell, number):
    """What ran until the run was ended is in the saved notebook."""
    hangs = "import time\ndef test_b():\n    open('began', 'w').close()\n    time.sleep(60)"
    shell.write("a.ipynb", HELLO, PASSES, hangs)
    process = shell.start("a.ipynb", "--save", "out")
    deadline = time.monotonic() + 60
    while not (shell.folder / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode in (2, 143), output
    saved = outputs_of(shell.folder / "out" / "a.ipynb")
    assert "hello" in saved
    assert re.search("PASSED test_a|test_a  passed", saved)


def test_save_never_touches_the_source(shell):
    """A folder in which the executed notebook would be the source is an error."""
    source = shell.write("a.ipynb", LAST)
    before = source.read_bytes()
    result = shell.run("a.ipynb", "--save", ".")
    assert (result.exit, source.read_bytes()) == (1, before)
    assert "is the notebook itself, which a run does not change" in result.output


BIG = "for at in range(35): display({'text/plain': str(at) * 1_000_000}, raw=True)"


def test_save_is_old_or_new(shell, pytestconfig):
    """A host that is killed while it saves leaves the old file or the new one, and nothing beside it."""
    shell.write("a.ipynb", BIG, LAST)
    out = shell.folder / "out"
    out.mkdir()
    saved = out / "a.ipynb"
    saved.write_text('{"old": 1}')
    for _ in range(20 if pytestconfig.getoption("long") else 3):
        before = saved.read_bytes()
        process = shell.start("a.ipynb", "--save", "out")
        while process.poll() is None and not _is_writing(process.pid, out):
            time.sleep(0.001)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it was not caught while it saved"
        assert saved.read_bytes() == before or len(outputs_of(saved)) > 35_000_000
        assert [path.name for path in out.iterdir()] == ["a.ipynb"]


def _is_writing(pid: int, folder: Path) -> bool:
    """Whether a process has a file of `folder` open."""
    try:
        files = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(file.startswith(f"{folder}/") for file in files)


@pytest.fixture
def disk(shell):
    """A file system of two megabytes, which the system mounts for root only."""
    folder = shell.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a file system for this test can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no room on it."""
    with (disk / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_no_room_for_the_notebook(shell, disk):
    """Where a disk is full, that is an error of the notebook; the old file stays, and nothing beside it."""
    shell.write("a.ipynb", BIG, LAST)
    shell.write("b.ipynb", LAST)
    (disk / "out").mkdir()
    (disk / "out/a.ipynb").write_text("old")
    result = shell.run("a.ipynb", "b.ipynb", "--save", "disk/out", width=200)
    assert (result.exit, result.counts) == (1, {"passed": 2, "error": 1}), result.output
    assert "a.ipynb cannot be written: [Errno 28] No space left on device" in result.output
    assert (disk / "out/a.ipynb").read_text() == "old"
    assert sorted(path.name for path in (disk / "out").iterdir()) == ["a.ipynb", "b.ipynb"]
    assert "test_last  passed" in outputs_of(disk / "out/b.ipynb")


def test_no_room_for_junit(shell, disk):
    """A JUnit file that cannot be written is told, and is no success; the summary is whole."""
    shell.write("a.ipynb", LAST, "def test_a(): assert 0")
    fill(disk)
    result = shell.run("a.ipynb", "--junitxml=disk/j.xml", "-p", "no:cacheprovider")
    assert (result.exit, result.counts) == (3, {"failed": 1, "passed": 1}), result.output
    assert "a report could not be written: [Errno 28] No space left on device" in result.output
    assert "FAILED a.ipynb::test_a - assert 0" in result.output
    assert shell.kernels() == []


def test_no_room_for_the_output(shell):
    """Where the output's disk is full, the run goes on, and JUnit is whole; it is no success."""
    shell.write("a.ipynb", LAST)
    with Path("/dev/full").open("w") as full:
        process = shell.start(
            "a.ipynb", "-v", "--junitxml=j.xml", stdout=full, stderr=subprocess.PIPE
        )
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "the output cannot be written: [Errno 28]" in said
    assert "Traceback" not in said
    assert 'name="test_last"' in (shell.folder / "j.xml").read_text()


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_no_room_for_kernels(shell, disk, options):
    """Where temporary files find no room any more, notebooks are errors that say so, and none hangs."""
    wait = "import time\nwhile not os.path.exists('full'): time.sleep(0.05)"
    shell.write("a.ipynb", f"import os\nopen('began', 'w')\n{wait}", "def test_a(): assert 0", LAST)
    names = ["a.ipynb", *(f"{name}.ipynb" for name in "bcdef")]
    for name in names[1:]:
        shell.write(name, LAST)
    shell.env["TMPDIR"] = str(disk)
    process = shell.start(*names, "-n", "1", *options)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if (shell.folder / "began").exists():
            fill(disk)
            (shell.folder / "full").touch()
        time.sleep(0.002)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1, output
    assert "FAILED a.ipynb::test_a - assert 0" in output
    assert "No space left on device" in output
    assert shell.kernels() == []
    assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_folder_that_is_read_only(shell, disk):
    """Notebooks on a read-only file system run; saving there is an error that says so."""
    path = shell.write("a.ipynb", HELLO, PASSES)
    shutil.copy(path, disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    result = shell.run(
        "disk/a.ipynb", "--rootdir=disk", "--save", "disk/out", "-p", "no:cacheprovider"
    )
    assert (result.exit, result.counts) == (1, {"passed": 1, "error": 1}), result.output
    assert "Read-only file system" in result.output
    assert shell.kernels() == []
