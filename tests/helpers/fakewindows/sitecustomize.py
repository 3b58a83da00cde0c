"""Take away what Windows does not have, as far as the standard library does without; for PYTHONPATH."""

import os
import select
import signal

MISSING = {
    os: (
        "fork", "forkpty", "waitid", "P_PID", "WNOWAIT", "pidfd_open", "killpg", "getpgid", "getpgrp",
        "setsid", "setpgid", "pread", "pwrite", "O_TMPFILE", "memfd_create",
    ),
    signal: ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGPIPE", "setitimer", "alarm"),
    select: ("poll", "epoll"),
}  # fmt: skip

os.O_BINARY = 0
for module, names in MISSING.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
