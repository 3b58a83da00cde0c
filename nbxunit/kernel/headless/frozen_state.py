"""What preloaded modules took of the fork server when they were imported: a forked kernel takes it anew.

Imports the standard library. Only what is there already is looked at.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import Any


def renew() -> None:
    """Let modules see this process's folder, environment and a chance of its own, as if imported here."""
    tempfile.tempdir = None
    if hasattr(time, "tzset"):
        time.tzset()
    modules: dict[str, Any] = sys.modules
    # Python's own generators see to themselves.
    if "numpy.random" in modules:
        modules["numpy.random"].seed()
    if "torch" in modules:
        modules["torch"].seed()
    if "multiprocessing.process" in modules:
        # Processes that are spawned import from there what stands beside the notebook.
        modules["multiprocessing.process"].ORIGINAL_DIR = os.getcwd()  # noqa: PTH109
    if "doctest" in modules:
        # Its debugger derives from pdb's, in whose place ipykernel has put IPython's meanwhile.
        debugger = modules["doctest"]._OutputRedirectingPdb  # noqa: SLF001
        debugger.__bases__ = (modules["pdb"].Pdb,)
    if "matplotlib" in modules:
        # As matplotlib does at its import. ipykernel has set the variable meanwhile.
        backend = os.environ.get("MPLBACKEND")
        modules["matplotlib"].rcParams.update({"backend": backend} if backend else {})
