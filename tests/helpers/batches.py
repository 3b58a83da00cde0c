"""Many notebooks in few processes: one call of `nbxunit run`, or one live kernel.

A notebook says in its first cell where its events go (`recording`), so that many can share one
environment.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import live
import nbformat
from nbformat import NotebookNode

TIMEOUT = 300
_CONFTEST = """\
import os

def note(report):
    if report.failed and not os.environ.get("NBXUNIT_KERNEL"):
        with open("failed.txt", "a") as file:
            file.write(report.nodeid.partition("::")[0].removesuffix(".ipynb") + "\\n")

pytest_runtest_logreport = pytest_collectreport = note
"""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The events of a run, whether it failed, and its `text` for a person who wonders."""

    events: list[str]
    failed: bool
    text: str = dataclasses.field(compare=False, repr=False)


def recording(path: Path) -> str:
    """The first cell of a notebook whose events go to the file `path`."""
    return f"import os\nos.environ['EVENTS_FILE'] = {str(path)!r}"


def environment(**more: str) -> dict[str, str]:
    """The environment without what pytest-xdist and pytest set for themselves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, **more}


def lines(path: Path) -> list[str]:
    """The lines of a file, none if it does not exist."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def headless(
    books: Mapping[str, NotebookNode], folder: Path, words: Sequence[str] = ()
) -> dict[str, Outcome]:
    """What `nbxunit run` makes of `books`; the events of each are in `folder`/NAME.log.

    `words` are more of its arguments; a notebook that they name by `NAME.ipynb::` is not named
    again. A notebook of several has failed if one of its reports has, a single one if the command
    has.
    """
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    named = {word.partition(".ipynb::")[0] for word in words}
    for name, book in books.items():
        nbformat.write(book, folder / f"{name}.ipynb")
    paths = [f"{name}.ipynb" for name in books if name not in named]
    done = subprocess.run(
        [sys.executable, "-m", "nbxunit", "run", *words, *paths],
        cwd=folder, env=environment(), text=True, timeout=TIMEOUT, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if len(books) == 1:
        failed = set(books) if done.returncode else set()
    else:
        assert done.returncode in (0, 1), done.stdout
        failed = set(lines(folder / "failed.txt"))
    return {
        name: Outcome(lines(folder / f"{name}.log"), name in failed, done.stdout) for name in books
    }


def inline(
    book: NotebookNode, events: Path, kernel: live.LiveKernel, words: Sequence[str] = ()
) -> Outcome:
    """What the cells of `book` and `%xunit_run` do in a kernel in which others ran before."""
    for line in ("%reset -f", "%xunit_reset", "%xunit_config run_cells=False"):
        reply = kernel.run(line)
        assert not reply.error, reply.text
    for cell in book.cells:
        if cell.cell_type == "code":
            reply = kernel.run(cell.source, f"{events.stem}-{cell.id}")
            assert not reply.error, reply.text
    reply = kernel.run(" ".join(["%xunit_run", *words]))
    return Outcome(lines(events), bool(reply.error), reply.text)
