"""What the tests are run by is what a person runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import warm_commands

CONFTEST = """\
import json, os, signal, sys, threading
def fd(number):
    return os.readlink(f"/proc/self/fd/{number}").partition("#")[0].partition(":")[0]
state = {
    "argv": sys.argv[1:], "cwd": os.getcwd(), "path": sys.path, "environment": dict(os.environ),
    "shown": sorted(open("/proc/self/environ").read().strip("\\0").split("\\0")),
    "streams": [fd(number) for number in range(3)],
    "encodings": [(each.encoding, each.errors, each.line_buffering)
                  for each in (sys.__stdin__, sys.__stdout__, sys.__stderr__)],
    "signals": {each.name: str(getattr(signal.getsignal(each), "__name__", signal.getsignal(each)))
                for each in signal.Signals if each not in (signal.SIGKILL, signal.SIGSTOP)},
    "blocked": sorted(each.name for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "threads": threading.active_count(), "group": os.getpgid(0), "session": os.getsid(0),
    "umask": os.umask(0o22), "flags": str(sys.flags),
    "finders": [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path
                if type(each).__module__ != "six"],  # which comes when a notebook runs
    "main": sys.modules["__main__"].__spec__.name,
}
def pytest_configure(config):
    state["plugins"] = sorted(name for name, plugin in config.pluginmanager.list_name_plugin() if plugin)
    with open(os.environ["STATE"], "w") as file:
        json.dump(state, file)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere commands are spawned")
@pytest.mark.parametrize("module", ["pytest", "nbxunit"])
def test_a_forked_command_equals_a_spawned_one(tmp_path, module):
    """Arguments, environment, paths, streams, signals, threads and plugins are those of a new process."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    words = ["run", "."] if module == "nbxunit" else ["--nbxunit"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"STATE": str(tmp_path / "state.json"), "MORE": "for this one"}
    options = {"cwd": tmp_path, "env": env, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    states, outputs = [], []
    forked = warm_commands.start(module, words, **options)
    assert isinstance(forked, warm_commands.Process)
    spawned = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        text=True, preexec_fn=warm_commands.heed_signals, **options,  # noqa: PLW1509 - as in shells
    )  # fmt: skip
    for process in (forked, spawned):
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 5, output
        outputs.append(output.rpartition(" in ")[0])
        state = json.loads((tmp_path / "state.json").read_text())
        state["plugins"] = [name for name in state["plugins"] if not name.isdecimal()]
        states.append(state)
    assert states[0] == states[1]
    assert outputs[0] == outputs[1]
