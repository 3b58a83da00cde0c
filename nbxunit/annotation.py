"""GitHub's annotations: lines of a workflow's output that stand beside the changed lines.

Imports nothing. The rules for escaping are those of GitHub's workflow commands.
"""

from __future__ import annotations


def annotation(level: str, path: str, line: int, title: str, text: str) -> str:
    """The workflow command that annotates a line of a file; `level` is `error` or `warning`."""
    properties = {"file": path, "line": str(line), "title": title}
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{level} {told}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
