"""Functions of the standard library as they were when this process began, which no test replaces.

Imports the standard library only. Code that runs beside tests calls these: a test may replace clocks,
files and `os` in their modules, or by pyfakefs and freezegun in every module that has imported them.
None of those looks into a partial.
"""

from __future__ import annotations

import io
import json
import os
import time
import uuid
from functools import partial
from pathlib import Path

__all__ = [
    "close", "dumps", "exit_now", "fstat", "ftruncate", "getpid", "loads", "monotonic", "open_file",
    "perf_counter", "pread", "pwrite", "read_text", "touch", "unlink", "uuid4", "write",
]  # fmt: skip

monotonic = partial(time.monotonic)
perf_counter = partial(time.perf_counter)

close = partial(os.close)
exit_now = partial(os._exit)
fstat = partial(os.fstat)
ftruncate = partial(os.ftruncate)
getpid = partial(os.getpid)
open_file = partial(os.open)
touch = partial(os.utime)
unlink = partial(os.unlink)
write = partial(os.write)
pread = partial(os.pread) if hasattr(os, "pread") else None  # not on Windows
pwrite = partial(os.pwrite) if hasattr(os, "pwrite") else None

dumps = partial(json.dumps)
loads = partial(json.loads)
uuid4 = partial(uuid.uuid4)

_FileIO = partial(io.FileIO)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8. OSError as from `open`."""
    with _FileIO(path) as file:
        return file.read().decode()
