"""The packages that carry what kernels and hosts say: their own warnings are no test's.

Imports nothing.
"""

from __future__ import annotations

IGNORED = (
    # Where warnings are errors, an old jupyter_client could not speak.
    r"ignore:::(jupyter_client|jupyter_core|ipykernel|nbclient|zmq|tornado)(\.|$)",
    # Python 3.12 and newer warn of `!command`; the threads are the kernel's.
    "ignore:This process .* is multi-threaded, use of forkpty:DeprecationWarning",
)
"""Lines for pytest's `filterwarnings`."""
