"""How many notebooks the system's limit of open files lets run at once.

Imports the standard library; Windows has no such limit.
"""

from __future__ import annotations

import sys

OF_HOST = 80
"""Open files of a host without kernels, and room for plugins."""
OF_NOTEBOOK = 40
"""Open files of a host for each notebook that runs at once: channels of its kernel and of one started ahead."""


def fitting(notebooks: int) -> tuple[int, int | None]:
    """How many of so many notebooks can run at once, at least one, and the limit where that is fewer.

    The soft limit is raised as far as they need it and the hard limit lets.
    """
    if sys.platform == "win32":
        return notebooks, None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OF_HOST + OF_NOTEBOOK * notebooks
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return notebooks, None
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError):  # macOS has limits of its own besides
        limit = soft
    fitting = max(1, (limit - OF_HOST) // OF_NOTEBOOK)
    return (notebooks, None) if fitting >= notebooks else (fitting, limit)
