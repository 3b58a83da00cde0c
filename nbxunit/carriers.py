"""The packages that carry what kernels and hosts say: their own warnings are no test's.

Imports nothing.
"""

from __future__ import annotations

IGNORED = r"ignore:::(jupyter_client|jupyter_core|ipykernel|nbclient|zmq|tornado)(\.|$)"
"""For pytest's `filterwarnings`. Where warnings are errors, an old jupyter_client could not speak."""
