"""Code that breaks what surrounds it, in a cell and in a test: the failure behind it is never lost.

Each notebook goes on with a test that fails and one that passes. What can be borne changes nothing of
that; what cannot is an error that says so.
"""

from __future__ import annotations

import textwrap

import pytest
from many import LAST, Batch

IMPORTS = "import asyncio, builtins, gc, io, json, os, resource, signal, sys, tempfile, threading, time, warnings"
FAILS = "def test_a(): assert 0"
POOL = """\
import multiprocessing as mp
with mp.get_context('KIND').Pool(1) as p: assert p.map(len, ['a']) == [1]
"""
SPIN = """\
def spin():
    while True: time.sleep(0.001)
for _ in range(9): threading.Thread(target=spin, daemon=True).start()
"""
BORNE = {
    "folder_gone": "import shutil\nd = tempfile.mkdtemp()\nos.chdir(d)\nshutil.rmtree(d)",
    "chdir": "os.chdir('/')",
    "fork": "pid = os.fork()\nif pid: os.waitpid(pid, 0)",
    "daemon": "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(300)\n    os._exit(0)",
    "pool_fork": POOL.replace("KIND", "fork"),
    "pool_spawn": POOL.replace("KIND", "spawn"),
    "stdout_replaced": "sys.stdout, sys.stderr = io.StringIO(), io.StringIO()",
    "descriptors_closed": "os.close(0)\nos.close(1)\nos.close(2)",
    "excepthook": "sys.excepthook = lambda *a: 1 / 0",
    "print": "builtins.print = None",
    "get_ipython": "import IPython\nIPython.get_ipython = builtins.get_ipython = lambda: None",
    "pytest_functions": "pytest = __import__('pytest')\npytest.fail = pytest.skip = pytest.main = None",
    "environ": "os.environ.clear()",
    "main_module": "sys.modules['__main__'] = type(sys)('other')",
    "reset": "get_ipython().run_line_magic('reset', '-f')\nimport asyncio, builtins",
    "reload": "import importlib, nbxunit\nimportlib.reload(nbxunit)",
    "load_ext": "for line in ('load_ext', 'reload_ext'): get_ipython().run_line_magic(line, 'nbxunit')",
    "sigint_ignored": "signal.signal(signal.SIGINT, lambda *a: None)",
    "sigchld_ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "sigusr2_default": "signal.signal(signal.SIGUSR2, signal.SIG_DFL)",
    "alarms": "signal.signal(signal.SIGALRM, lambda *a: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)",
    "signals_blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "no_collection": "gc.disable()\ngc.freeze()",
    "umask": "os.umask(0o777)",
    "loop_of_its_own": "asyncio.set_event_loop(asyncio.new_event_loop())",
    "loop_handler": "get_ipython().kernel.io_loop.asyncio_loop.set_exception_handler(lambda *a: 1 / 0)",
    "zmq_context": "import zmq\nzmq.Context.instance().destroy()",
    "clock": "time.monotonic = time.perf_counter = time.sleep = lambda *a: 0",
    "no_greenlet": "sys.modules['greenlet'] = None",
    "busy_threads": SPIN,
    "events": "get_ipython().events.callbacks['post_run_cell'].clear()",
    "count": "get_ipython().execution_count = 100",
    "no_digits": "sys.set_int_max_str_digits(640)",
}
BREAKS = {
    "exits_by_input": "input()",
    "modules": "sys.modules.clear()",
    "our_modules": "for n in [n for n in sys.modules if n.startswith('nbxunit')]: del sys.modules[n]\nraise Exception",
    "len": "builtins.len = None",
    "import": "builtins.__import__ = None",
    "isinstance": "builtins.isinstance = lambda *a: True",
    "recursion": "def f(): return f()\nf()",
    "memory": "resource.setrlimit(resource.RLIMIT_AS, (10**8, 10**8))\nx = bytearray(10**9)",
    "file_size": "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    "write": "os.write = os.getpid = None",
    "session": "get_ipython().kernel.session = None",
    "key": "get_ipython().kernel.session.key = b'other'",
    "stdin": "get_ipython().kernel.stdin_socket.close()",
    "trace": "def t(*a): raise RuntimeError\nsys.settrace(t)\nlen([])\nt()",
    "descriptors": "held = []\nwhile True: held.append(os.open('/dev/null', 0))",
    "namespace": "get_ipython().user_ns = {}",
}
CLOSES = {"stdout_closed": "sys.stdout.close()\nsys.stderr.close()"}


@pytest.fixture(scope="module")
def batch(shells, rows):
    """All of them in one run, each in a cell, and in a test."""
    shell = shells()
    codes = {**BORNE, **BREAKS, **CLOSES}
    for name in rows(codes):
        code = codes[name]
        test = "def test_it():\n" + textwrap.indent(code, "    ")
        shell.write(f"{name}_cell.ipynb", IMPORTS, code, FAILS, LAST)
        shell.write(f"{name}_test.ipynb", IMPORTS, test, FAILS, LAST)
    return Batch(shell, "--test-timeout", "4", "--cell-timeout", "4", "--notebook-timeout", "60")


def test_the_run_goes_on(batch):
    """The notebook behind them runs, and nothing is left, no daemon, no pool."""
    batch.went_on()


@pytest.mark.parametrize("name", BORNE)
def test_borne(told, name):
    """What was done changes nothing of what is reported."""
    in_cell, in_test = told(f"{name}_cell"), told(f"{name}_test")
    assert in_cell.counts == {"failed": 1, "passed": 1}, in_cell.text
    assert in_test.counts == {"failed": 1, "passed": 2}, in_test.text
    assert max(in_cell.seconds, in_test.seconds) < 30


@pytest.mark.parametrize("name", CLOSES)
def test_closes(told, name):
    """A cell may do it; a test that does it fails, and what cannot run behind it is an error."""
    in_cell, in_test = told(f"{name}_cell"), told(f"{name}_test")
    assert in_cell.counts == {"failed": 1, "passed": 1}, in_cell.text
    assert set(in_test.counts) == {"failed", "error"}, in_test.text


@pytest.mark.parametrize("name", BREAKS)
def test_breaks(told, name):
    """The cell, or the test, or what could not run behind it, is an error or a failure that says why."""
    for place, passed in (("cell", 0), ("test", 2)):
        it = told(f"{name}_{place}")
        assert {"failed", "error"} & set(it.counts), it.text
        assert it.counts.get("passed", 0) <= passed, it.text
        # Whatever could run: the test that fails is not among those that passed.
        lines = [line for line in it.text.splitlines() if "::test_a: " in line]
        assert place == "cell" or lines or "kernel" in it.text, it.text
        assert it.seconds < 40
