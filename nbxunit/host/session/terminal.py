"""What goes between a kernel and the person at the terminal: live output, and answers to a debugger.

Imports the standard library only.
"""

from __future__ import annotations

import sys
from typing import TextIO

END_OF_INPUT = "\x04"
"""The answer that a kernel takes for the end of the input (ipykernel raises EOFError then)."""


def show(text: str, stream: str = "stdout") -> None:
    """Write to the host's stream of that name; what its encoding does not have is escaped."""
    file: TextIO = sys.stderr if stream == "stderr" else sys.stdout
    encoding = file.encoding or "utf-8"
    file.write(text.encode(encoding, "backslashreplace").decode(encoding))
    file.flush()


def ask(prompt: str) -> str:
    """The line that a person answers; END_OF_INPUT where there is no more."""
    show(prompt)
    line = sys.stdin.readline() if sys.stdin is not None else ""
    return line.rstrip("\n") if line else END_OF_INPUT
