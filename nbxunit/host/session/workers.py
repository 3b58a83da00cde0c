"""Kernels as plugins know the workers of xdist: what the host gives them, and what they leave.

May import pytest. xdist's hooks are called with a stand-in for its controller of a worker.
"""

from __future__ import annotations

import sys
import types
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from nbxunit.carried import is_plain

_KEY = "nbxunit_kernels"
"""Where a worker of xdist leaves what its kernels have left, by notebook."""
_NEED_A_GATEWAY = ("_cov",)
"""Plugins whose hooks do with a worker what only xdist's own can bear."""


class Worker:
    """A kernel in the place of `xdist.workermanage.WorkerController`."""

    def __init__(self, config: pytest.Config, workerinput: dict[str, object]) -> None:
        self.config = config
        self.workerinput = workerinput
        self.workeroutput: dict[str, object] = {}
        spec = types.SimpleNamespace(popen=True, chdir=None, python=sys.executable)
        self.gateway = types.SimpleNamespace(id=workerinput["workerid"], spec=spec)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.gateway.id}>"


class Workers:
    """The kernels of a session, by the node ids of their notebooks. `failures` are those of hooks."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._workers: dict[str, Worker] = {}
        self._run = uuid.uuid4().hex
        self.failures: list[str] = []

    def input(self, notebook_id: str, count: int) -> dict[str, object]:
        """`config.workerinput` of the kernel of a notebook, one of `count`."""
        given: Mapping[str, object] = getattr(self._config, "workerinput", {})
        own = {
            "workerid": f"gw{len(self._workers)}", "workercount": count,
            "testrunuid": self._run, "mainargv": list(sys.argv),
        }  # fmt: skip
        worker = Worker(self._config, {**own, **given})
        self._workers[notebook_id] = worker
        if not given:
            self._call("pytest_configure_node", node=worker)
        return {name: value for name, value in worker.workerinput.items() if is_plain(value)}

    def ended(self, notebook_id: str, output: Mapping[str, object] | None) -> None:
        """The session in the kernel of a notebook has ended, and left this, if it was a worker's."""
        if output is None:
            return
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput.setdefault(_KEY, {})[notebook_id] = dict(output)
            return
        worker = self._workers.get(notebook_id)
        if worker is not None:
            self._down(worker, output)

    def node_down(self, node: Any) -> None:
        """A worker of xdist has ended: so have its kernels, each with an output of its own."""
        outputs = (getattr(node, "workeroutput", None) or {}).get(_KEY, {})
        for output in outputs.values():
            self._down(Worker(self._config, node.workerinput), output)

    def _down(self, worker: Worker, output: Mapping[str, object]) -> None:
        worker.workeroutput = dict(output)
        self._call("pytest_testnodedown", node=worker, error=None)

    def _call(self, name: str, **given: Any) -> None:
        """Call a hook of xdist's, which is there where a plugin has it."""
        manager = self._config.pluginmanager
        if not hasattr(self._config.hook, name):
            return
        without = [plugin for each in _NEED_A_GATEWAY if (plugin := manager.get_plugin(each))]
        try:
            manager.subset_hook_caller(name, remove_plugins=without)(**given)
        except Exception as exc:  # noqa: BLE001 - it takes a kernel for a worker of xdist
            self.failures.append(f"{name} of a plugin or conftest failed for a kernel: {exc!r}")
