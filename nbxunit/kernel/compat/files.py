"""Files that a kernel writes beside tests, opened by functions that no test can replace.

Imports the standard library and what both sides share.
"""

from __future__ import annotations

import os
from os import O_APPEND, O_CREAT, O_WRONLY
from pathlib import Path

from nbxunit.originals import open_file

_BINARY = getattr(os, "O_BINARY", 0)
"""Windows would write another line end."""


def appended(path: Path | str) -> int:
    """A descriptor that writes at the end of the file `path`."""
    return open_file(path, O_WRONLY | O_APPEND | O_CREAT | _BINARY, 0o600)


def overwritten(path: Path | str) -> int:
    """A descriptor that writes at the beginning of the file `path`."""
    return open_file(path, O_WRONLY | O_CREAT | _BINARY, 0o600)
