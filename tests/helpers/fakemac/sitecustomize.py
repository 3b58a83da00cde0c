"""Take away what macOS' Python 3.11 and 3.12 do not have; for PYTHONPATH."""

import os

MISSING = (
    "waitid", "waitid_result", "P_PID", "P_ALL", "WEXITED", "WNOWAIT", "WSTOPPED", "pidfd_open",
    "O_TMPFILE", "memfd_create",
)  # fmt: skip

for name in MISSING:
    if hasattr(os, name):
        delattr(os, name)
