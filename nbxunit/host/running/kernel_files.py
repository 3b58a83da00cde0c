"""What host and kernel tell each other by files in the kernel's folder while its tests run.

Imports the standard library and what both sides share. A kernel that hangs or has died answers nothing, and
code in it can remove its files.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from nbxunit import kernel_folder, protocol
from nbxunit.host.kernels.kernel import Kernel
from nbxunit.host.records import Logged

_PIECE = 1_000_000


def companion_cell(kernel: Kernel) -> str:
    """The cell that a companion's fixture executes, as in `sales.ipynb cell 3`; empty if none runs."""
    with contextlib.suppress(OSError):
        told = (kernel.folder / kernel_folder.COMPANION_CELL).read_bytes()
        return protocol.clean(told[:1000].decode("utf-8", "replace")).strip()
    return ""


def logged(kernel: Kernel) -> Iterator[Logged]:
    """What pytest has written to its log file, in pieces."""
    with contextlib.suppress(OSError), (kernel.folder / kernel_folder.LOG_FILE).open("rb") as file:
        while data := file.read(_PIECE):
            yield Logged(data.decode("utf-8", "replace"))


def shown(kernel: Kernel) -> dict[str, list[dict[str, object]]]:
    """What cells show of the run in a saved notebook, by their labels; nothing where the kernel told nothing."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((kernel.folder / kernel_folder.RESULTS).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def changed(kernel: Kernel, file: str) -> int:
    """When the kernel wrote or touched a file the last time, in ns; 0 where that cannot be known."""
    with contextlib.suppress(OSError):
        return (kernel.folder / file).stat().st_mtime_ns
    return 0


def name_timed_out(kernel: Kernel, name: str) -> None:
    """Tell the kernel for which test, or cell of a companion, the next interrupt is."""
    with contextlib.suppress(OSError):
        timed_out = kernel.folder / kernel_folder.TIMED_OUT
        timed_out.parent.mkdir(mode=0o700, exist_ok=True)  # a test can remove it
        timed_out.write_text(name, encoding="utf-8")
