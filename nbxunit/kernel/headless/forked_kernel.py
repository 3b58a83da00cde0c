"""What a child of the fork server does to be a kernel, as one that is spawned.

Imports the standard library; ipykernel is there already, since the server has imported it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from nbxunit.kernel.headless import frozen_state

PR_SET_PDEATHSIG = 1


def become(order: Mapping[str, Any], path: Sequence[str]) -> None:
    """Be the kernel of `order` in this child, with `path` as sys.path; ends the process.

    As in multiprocessing's children, objects are not torn down one by one: that takes longer than a
    small notebook. Threads are waited for and atexit's functions run, as at the end of any process.
    """
    os.setsid()
    _end_with_parent(order["server"])
    for name, handler in order["handlers"].items():
        signal.signal(getattr(signal, name), handler)
    _redirect(order["output"])
    os.chdir(order["cwd"])
    _set_environment(order)
    sys.argv[:] = order["argv"]
    sys.path[:] = path

    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize(list(order["argv"][1:]))
    frozen_state.renew()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.sendto(b"ready", order["ready"])
    status = 0
    try:
        app.start()
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    finally:
        # It joins threads that may be flushing into one another; here all of them end at once.
        atexit.unregister(app.close)
        gc.freeze()  # the shell collects garbage once more
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001
    os._exit(status)


def _redirect(output: str) -> None:
    """The standard streams of a kernel that a host spawns: no input, all output into a file."""
    reading, writing = os.pipe()
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _set_environment(order: Mapping[str, Any]) -> None:
    environment = dict(order["env"])
    for name, value in order["changed"].items():
        environment.setdefault(name, value)
    environment["JPY_PARENT_PID"] = str(order["server"])
    os.environ.clear()
    os.environ.update(environment)


def _end_with_parent(parent: int) -> None:
    """Let the system kill this process when its server dies; ipykernel looks once a second."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
