"""`nbxunit check`: files and folders in, findings out, and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nbxunit.check import (
    awaits,
    bodies_of_cells,
    declarations,
    ini,
    marks,
    names,
    output,
    reading,
    rebinding,
)
from nbxunit.check.findings import Finding
from nbxunit.check.reading import Notebook, ReadingError

_EXAMPLES = """\
examples:
  nbxunit check                          all notebooks below the current folder
  nbxunit check notebooks/ sales.ipynb
  nbxunit check --format github          annotations for GitHub

Exit codes: 0 no errors, 1 errors, or with --strict warnings, 4 usage error.
"""
_LEFT_OUT = (".ipynb_checkpoints", "node_modules", "__pycache__", "site-packages")
"""Folders that are not looked into, besides those whose names begin with a dot."""


def main(
    words: Sequence[str], read_text: Callable[[Path, str], Notebook | None] | None = None
) -> int:
    """Check what `words` name; `read_text` reads files that are no .ipynb. The exit code."""
    parser = argparse.ArgumentParser(
        "nbxunit check", usage="nbxunit check [options] [notebook or folder ...]",
        description="Look for mistakes in the test and hook cells of notebooks, without executing them.",
        epilog=_EXAMPLES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("paths", nargs="*", default=["."], help=argparse.SUPPRESS)
    parser.add_argument(
        "--format", choices=output.FORMATS, default="text", help="text, json or github"
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help="a rule to leave out; repeatable",
    )
    parser.add_argument("--strict", action="store_true", help="let warnings fail, too")
    given = parser.parse_args(words)
    missing = [path for path in given.paths if not Path(path).exists()]
    if missing:
        sys.stderr.write(f"nbxunit check: no such file or folder: {', '.join(missing)}\n")
        return 4
    paths = dict.fromkeys(file for path in given.paths for file in _files(Path(path)))
    findings = [
        finding
        for path in paths
        for finding in check(path, read_text)
        if finding.rule not in given.ignore
    ]
    text = output.rendered(findings, given.format)
    if text:
        sys.stdout.write(f"{text}\n")
    sys.stderr.write(f"{output.summary(findings, len(paths))}\n")
    failing = [finding for finding in findings if given.strict or finding.severity == "error"]
    return 1 if failing else 0


def check(
    path: Path, read_text: Callable[[Path, str], Notebook | None] | None = None
) -> list[Finding]:
    """What is wrong with the notebook in `path`, in the order of its cells."""
    shown = path.as_posix()
    try:
        read = reading.read if path.suffix == ".ipynb" or read_text is None else read_text
        notebook = read(path, shown)
    except ReadingError as exc:
        return [Finding("not-a-notebook", shown, 0, 0, 1, str(exc))]
    if notebook is None or not notebook.may_test:
        return []
    told = ini.of(path.absolute().parent)
    found = [
        *declarations.check(notebook),
        *bodies_of_cells.check(notebook),
        *names.check(notebook, told),
        *marks.check(notebook, told),
        *awaits.check(notebook),
        *rebinding.check(notebook),
    ]
    return sorted(found, key=lambda finding: (finding.cell, finding.line))


def _files(path: Path) -> Iterator[Path]:
    """A file, or the notebooks in a folder and in those inside it."""
    if path.is_file():
        yield path
        return
    for folder, inner, files in os.walk(path):
        inner[:] = sorted(
            name for name in inner if not name.startswith(".") and name not in _LEFT_OUT
        )
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".ipynb"))
