"""Records on their way from the thread of the loop to the main one: a few in memory, the rest in one file.

Imports the standard library.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import os
import pickle
import tempfile
import threading
from io import FileIO
from typing import NamedTuple, TypeAlias

from nbxunit.host.records import Record

IN_MEMORY = 8_000_000
"""Bytes of waiting records, of all runs together, that stay in memory."""


class _Place(NamedTuple):
    """A place in the file."""

    start: int
    size: int


Waiting: TypeAlias = bytes | _Place
"""Pickled records, or where they are."""


class Store:
    """Where the records of all runs wait: one budget of memory, and one unnamed file for what is more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_memory = self._end = self._places = 0
        self._file: FileIO | None = None

    def keep(self, data: bytes) -> Waiting:
        """Keep `data`: nothing is lost where the disk has no room, it is in memory then."""
        with self._lock:
            if self._in_memory + len(data) > IN_MEMORY:
                with contextlib.suppress(OSError):
                    return self._written(data)
            self._in_memory += len(data)
            return data

    def _written(self, data: bytes) -> _Place:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in `close`
        self._file.seek(self._end)
        if self._file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        place = _Place(self._end, len(data))
        self._end += len(data)
        self._places += 1
        return place

    def take(self, waiting: Waiting) -> bytes:
        """What was kept, once."""
        with self._lock:
            data = waiting
            if isinstance(waiting, _Place):
                assert self._file is not None
                self._file.seek(waiting.start)
                data = self._file.read(waiting.size)
            self._forget(waiting)
            assert isinstance(data, bytes)
            return data

    def drop(self, waiting: Waiting) -> None:
        """Nobody will take it."""
        with self._lock:
            self._forget(waiting)

    def _forget(self, waiting: Waiting) -> None:
        if isinstance(waiting, bytes):
            self._in_memory -= len(waiting)
            return
        self._places -= 1
        if not self._places and self._file is not None:
            self._file.truncate(0)
            self._end = 0

    def close(self) -> None:
        """Nothing waits any more."""
        if self._file is not None:
            self._file.close()


class Spool:
    """The records of one run, from one thread to another, in order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._waiting: collections.deque[Waiting] = collections.deque()
        self._taken: collections.deque[Record] = collections.deque()
        self._ended = False

    def put(self, *records: Record) -> None:
        """Add records, if there are any."""
        if not records:
            return
        data = pickle.dumps(records)
        with self._changed:
            self._waiting.append(self._store.keep(data))
            self._changed.notify()

    def end(self) -> None:
        """There will be no more records."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def wait(self, timeout: float) -> None:
        """Return when `get` need not wait; TimeoutError if it would after `timeout` seconds."""
        if self._taken:
            return
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._taken or self._ended or self._waiting, timeout
            ):
                raise TimeoutError

    def get(self, timeout: float) -> Record | None:
        """The next record; TimeoutError if none comes in `timeout` seconds, None after the last."""
        self.wait(timeout)
        if self._taken:
            return self._taken.popleft()
        with self._changed:
            if not self._waiting:
                return None
            data = self._store.take(self._waiting.popleft())
        self._taken.extend(pickle.loads(data))  # noqa: S301 - written by `put`
        return self._taken.popleft()

    def close(self) -> None:
        """Drop what was not read."""
        with self._changed:
            while self._waiting:
                self._store.drop(self._waiting.popleft())
