"""Forked kernels: each a process of its own, and what a spawned one would be."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
import shells

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")

STATE = """\
import json, os, pathlib, re, resource, signal, socket, sys, threading
def is_kernels(fd):
    # How often a host has connected by now is chance: of sockets with names those that listen count.
    if not os.path.exists(f"/proc/self/fd/{fd}"):
        return False
    if not os.readlink(f"/proc/self/fd/{fd}").startswith("socket"):
        return True
    with socket.socket(fileno=os.dup(fd)) as it:
        return not it.getsockname() or bool(it.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
def name(fd):
    target = os.readlink(f"/proc/self/fd/{fd}")
    return re.sub(r"\\d+", "N", pathlib.Path(target).name)
state = {
    "argv": sys.argv[1:2], "cwd": os.getcwd(), "executable": sys.executable,
    "path": [entry for entry in sys.path if entry != os.getcwd()],
    "environment": {
        key: value for key, value in os.environ.items()
        if key not in ("JPY_PARENT_PID", "JPY_SESSION_NAME", "NBXUNIT_KERNEL_ID") and "time" not in key.lower()
    },
    "descriptors": sorted(name(fd) for fd in map(int, os.listdir("/proc/self/fd")) if fd < 200
                          and is_kernels(fd)),
    "signals": {
        s.name: getattr(signal.getsignal(s), "__name__", str(signal.getsignal(s)))
        for s in signal.Signals if s not in (signal.SIGKILL, signal.SIGSTOP)
    },
    "blocked": sorted(s.name for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "threads": sorted(
        re.sub(r"\\d+", "N", thread.name) + type(thread).__name__ for thread in threading.enumerate()
    ),
    "leader": os.getpid() == os.getpgid(0) == os.getsid(0),
    "umask": os.umask(0o22), "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
    "dont_write_bytecode": sys.dont_write_bytecode, "flags": str(sys.flags),
    "main": sys.modules["__main__"] is sys.modules[__name__],
    "input": sys.__stdin__ is not None and sys.__stdin__.read() == "",
    "kernel": type(get_ipython().kernel).__name__,
    "names": sorted(key for key in globals() if not key.startswith("_")),
}
pathlib.Path(os.environ["STATE"]).write_text(json.dumps(state, indent=1))
def test_state(): pass
"""


def test_a_forked_kernel_equals_a_spawned_one(shell):
    """Descriptors, signals, threads, environment, paths and names are those of a new process."""
    shell.write("a.ipynb", STATE)
    states = []
    for options in ([], ["--no-fork"]):
        shell.env["STATE"] = str(shell.folder / "state.json")
        result = shell.run("a.ipynb", *options)
        assert result.exit == 0, result.output
        states.append(json.loads((shell.folder / "state.json").read_text()))
    assert states[0] == states[1]


def test_kernels_share_no_randomness(shell):
    """What two forks draw at random differs, and so do the names of their temporary files."""
    shell.write("draw.ipynb", "")
    draw = """\
import os, random, secrets, ssl, tempfile, uuid
drawn = [uuid.uuid4().hex, uuid.uuid1().hex, random.random(), secrets.token_hex(), ssl.RAND_bytes(8).hex(),
         tempfile.mktemp(), os.getpid(), random.Random().random()]
open("drawn", "a").write(repr(drawn) + "\\n")
def test_a(): pass
"""
    shell.write("a.ipynb", draw)
    shell.write("b.ipynb", draw)
    assert shell.run("a.ipynb", "b.ipynb").exit == 0
    first, second = map(eval, (shell.folder / "drawn").read_text().splitlines())
    assert not set(first) & set(second)


LEAVE = """\
import atexit, builtins, decimal, gc, json, locale, logging, os, random, sys, tempfile, threading, warnings
json.left = sys.left = builtins.left = os.environ["LEFT"] = "left"
os.makedirs("elsewhere", exist_ok=True)
open("elsewhere/left", "a").write("left")
os.chdir("elsewhere")
tempfile.tempdir = os.getcwd()
random.seed(1)
decimal.getcontext().prec = 3
logging.getLogger().addHandler(logging.NullHandler())
logging.getLogger().setLevel(1)
threading.Thread(target=threading.Event().wait, name="left", daemon=True).start()
kept = open("left")
os.umask(0o77)
sys.path.insert(0, os.getcwd())
warnings.simplefilter("error")
sys.setrecursionlimit(2000)
gc.disable()
atexit.register(print, "left")
get_ipython().run_line_magic("precision", "3")
"""
LOOK = """\
import builtins, decimal, gc, json, locale, logging, os, random, sys, tempfile, threading, warnings
def test_nothing_is_left():
    assert not any(hasattr(where, "left") for where in (json, sys, builtins))
    assert "LEFT" not in os.environ and "kept" not in globals()
    assert os.path.basename(os.getcwd()) != "elsewhere"
    assert tempfile.gettempdir() != os.path.join(os.getcwd(), "elsewhere")
    assert decimal.getcontext().prec == 28
    assert logging.getLogger().level == logging.WARNING
    assert not any(thread.name == "left" for thread in threading.enumerate())
    assert os.umask(0o22) == 0o22
    assert not any("elsewhere" in entry for entry in sys.path)
    assert gc.isenabled() and sys.getrecursionlimit() != 2000
    assert not any("left" in entry for entry in map(os.path.basename, open_files()))
    assert len(In) < 4
def open_files():
    return [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")]
"""


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--no-fork",)], ids=" ".join)
def test_a_notebook_sees_nothing_of_another(shell, options):
    """Whatever a notebook leaves in its process, the next ones don't see it, in any order."""
    shell.write(
        "a.ipynb", LEAVE, LOOK.replace("test_nothing_is_left", "look"), "def test_a(): pass"
    )
    shell.write("b.ipynb", LOOK)
    shell.write("c.ipynb", LEAVE, "def test_c(): pass")
    shell.write("d.ipynb", LOOK)
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb", *options)
    assert (result.exit, result.counts) == (0, {"passed": 4})
    assert shell.kernels() == []


KERNEL = """\
def test_a():
    kernel = get_ipython().kernel
    assert "print" in kernel.do_complete("prin", 4)["matches"]
    assert kernel.do_inspect("print", 5)["found"]
    assert kernel.kernel_info["implementation"] == "ipython"
    assert kernel.debugger is not None
"""


def test_a_forked_kernel_is_a_jupyter_kernel(shell):
    """It completes, inspects and debugs as any ipykernel does."""
    shell.write("a.ipynb", KERNEL)
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


def test_preload(shell):
    """A module of `--preload` is imported once for all; one that cannot be is told, and all run."""
    (shell.folder / "slow.py").write_text("open('imported', 'a').write('x')\n")
    shell.env["PYTHONPATH"] = str(shell.folder)
    look = "import sys\nwas = 'decimal' in sys.modules\ndef test_a(): assert was"
    shell.write("a.ipynb", look)
    shell.write("b.ipynb", look)
    result = shell.run("a.ipynb", "b.ipynb", "--preload", "decimal")
    assert (result.exit, result.counts) == (0, {"passed": 2})


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("nosuch", "--preload nosuch: ModuleNotFoundError"),
        ("quits", "--preload quits: SystemExit: 0"),
        ("dies", "the fork server was killed by SIGKILL, perhaps out of memory, while or after it"),
    ],
)
def test_a_module_that_cannot_be_preloaded(shell, module, told):
    """However the import of a module ends, it is told, and kernels are spawned."""
    (shell.folder / "quits.py").write_text("import sys\nsys.exit(0)\n")
    (shell.folder / "dies.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    shell.env["PYTHONPATH"] = str(shell.folder)
    shell.write("a.ipynb", "def test_a(): pass")
    result = shell.run("a.ipynb", "--preload", module)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output
    assert told in result.output


def test_a_plugin_that_starts_a_thread_prevents_forking(shell):
    """A library that does not survive a fork is named, and kernels are spawned."""
    (shell.folder / "threads.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, name='mine', daemon=True).start()\n"
    )
    shell.env["PYTHONPATH"] = str(shell.folder)
    shell.write("a.ipynb", "def test_a(): pass")
    result = shell.run("a.ipynb", "--preload", "threads")
    assert (result.exit, result.counts) == (0, {"passed": 1})
    assert "--preload threads starts a thread when it is imported (mine)" in result.output


SEEN = """\
import os
PID, CALLS = os.getpid(), []
def pytest_addoption(): CALLS.append(os.getpid())
"""


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ((), "(seen.PID, seen.CALLS) == (os.getppid(), [os.getpid()])"),
        (("-p", "no:seen"), "seen is None"),
        (("--disable-plugin-autoload",), "seen is None"),
    ],
)
def test_plugins_of_a_single_notebook(shell, words, known):
    """The server imports plugins while the host does, calls none of their hooks, and heeds what is kept out."""
    shells.install_plugin(shell.folder, "seen", SEEN)
    shell.env["PYTHONPATH"] = str(shell.folder)
    look = "import os, sys\nseen = sys.modules.get('seen')\ndef test_a(): assert "
    shell.write("a.ipynb", look + known)
    result = shell.run("a.ipynb", *words)
    assert result.counts == {"passed": 1}, result.output


HASH = """\
import subprocess, sys
def test_a():
    command = [sys.executable, "-c", "print(hash('a'))"]
    assert hash("a") == int(subprocess.check_output(command))
"""


def test_environment_of_the_interpreter_is_a_reason_to_spawn(shell):
    """A conftest that changes what Python reads at its start is obeyed."""
    (shell.folder / "conftest.py").write_text("import os\nos.environ['PYTHONHASHSEED'] = '7'\n")
    shell.write("a.ipynb", HASH)
    result = shell.run("a.ipynb")
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output


@pytest.mark.parametrize("options", [(), ("--no-fork",)], ids=["forked", "spawned"])
def test_nothing_outlives_a_killed_host(shell, options):
    """After SIGKILL of the host, its kernels, their children and the fork server end."""
    shell.write("a.ipynb", "import subprocess, time\nopen('began', 'w')\ntime.sleep(100)")
    process = shell.start("a.ipynb", "--check-execution", *options)
    deadline = time.monotonic() + 60
    while not (shell.folder / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 10
    while shell.kernels() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shell.kernels() == []


SIGNAL = """\
import os, signal, subprocess, time
def test_a():
    subprocess.Popen(["sleep", "200"], start_new_session=True)
    os.kill(os.getppid(), signal.{signal})
    open("began", "w")
    time.sleep({seconds})
"""


@pytest.mark.parametrize("name", ["SIGSTOP", "SIGTERM", "SIGHUP"])
def test_a_test_that_signals_its_parent(shell, name):
    """A fork server that is stopped is woken, and nothing else ends it: all notebooks pass."""
    shell.write("a.ipynb", SIGNAL.format(signal=name, seconds=0))
    for file in ("b.ipynb", "c.ipynb", "d.ipynb"):
        shell.write(file, "import time\ndef test_b(): time.sleep(1)")
    result = shell.run("-n", "2", "--notebook-timeout", "30", ".")
    assert (result.exit, result.counts) == (0, {"passed": 4}), result.output
    assert "spawned" not in result.output
    assert shell.kernels() == []


def test_a_killed_host_whose_server_is_stopped(shell):
    """The system wakes the server then: it ends the kernels, and removes their folders."""
    with tempfile.TemporaryDirectory() as folder:  # a short name, as sockets need
        shell.env["TMPDIR"] = folder
        shell.write("a.ipynb", SIGNAL.format(signal="SIGSTOP", seconds=100))
        process = shell.start("a.ipynb")
        _until((shell.folder / "began").exists)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _until(lambda: not shell.kernels())
        assert shell.kernels() == []
        left = [each.name for each in Path(folder).iterdir()]
        assert [name for name in left if not name.startswith("pytest-of-")] == []  # pytest's stay


def _until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_dead_server_is_no_end(shell):
    """When the fork server is killed, what ran is an error that says so, and the rest is spawned."""
    shell.write("a.ipynb", SIGNAL.format(signal="SIGKILL", seconds=100))
    for file in ("b.ipynb", "c.ipynb", "d.ipynb"):
        shell.write(file, "def test_b(): pass")
    result = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb")
    assert (result.exit, result.counts) == (1, {"passed": 3, "error": 1}), result.output
    assert "the kernel died (its parent, the fork server, was killed by SIGKILL" in result.output
    assert "kernels were spawned, not forked: the fork server was killed" in result.output
    _until(lambda: not shell.kernels())
    assert shell.kernels() == []
