"""A worker's pools: one for each host whose jobs run there, for as long as it may send more."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbxunit.host.kernels import launching
from nbxunit.host.kernels.forking import Forking, ForkServer
from nbxunit.host.running.local import LocalPool

IDLE = 30.0
"""Seconds without a task until the pool of a host that has not said good-bye is closed."""
ABANDONED = 2.0
"""The same where the host has not taken the end of a task: mostly there is none any more."""
AT_ONCE = 1000
"""The pool's limit: how many tasks a worker runs at once is the cluster's business."""


class Pools:
    """One pool for each host whose jobs run here, so that none has a fork server that another has warmed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[str, LocalPool] = {}
        self._users: collections.Counter[str] = collections.Counter()
        self._timers: dict[str, threading.Timer] = {}

    @contextlib.contextmanager
    def used(
        self, session: str, words: Mapping[str, Any] | None, idle: Callable[[], float]
    ) -> Iterator[LocalPool]:
        """The pool of a host, for the time of a block, and `idle` seconds for the next."""
        try:
            yield self._take(session, words)
        finally:
            self._give_back(session, idle())

    def _take(self, session: str, words: Mapping[str, Any] | None) -> LocalPool:
        with self._lock:
            if timer := self._timers.pop(session, None):
                timer.cancel()
            if session not in self._pools:
                self._pools[session] = LocalPool(AT_ONCE, _forking(words)).__enter__()
            self._users[session] += 1
            return self._pools[session]

    def _give_back(self, session: str, idle: float) -> None:
        with self._lock:
            self._users[session] -= 1
            if not self._users[session]:
                timer = self._timers[session] = threading.Timer(idle, self.close, (session,))
                timer.daemon = True
                timer.start()

    def close(self, session: str) -> None:
        """Close a pool that nobody uses."""
        with self._lock:
            if self._users[session]:
                return
            del self._users[session]
            if timer := self._timers.pop(session, None):
                timer.cancel()
            pool = self._pools.pop(session, None)
        if pool is not None:
            pool.__exit__(None, None, None)


def _forking(words: Mapping[str, Any] | None) -> Forking | None:
    if words is None or not launching.is_possible():
        return None
    return Forking(ForkServer.take(), tuple(words["words"]), tuple(words["preload"]))
