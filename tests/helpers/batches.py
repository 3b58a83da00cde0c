"""Many notebooks in few processes: one call of `nbxunit run`, or one live kernel.

A notebook says in its first cell where its events go (`recording`), so that many can share one
environment.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import live
import nbformat
import warm_commands
from nbformat import NotebookNode

TIMEOUT = 300
_CONFTEST = """\
import copy, os
import pytest
from _pytest.config import create_terminal_writer

def name_of(report):
    place = report.nodeid or report.fslocation[0]  # of a warning about no test
    return place.partition(".ipynb")[0]

def note(report):
    if report.failed and not os.environ.get("NBXUNIT_KERNEL"):
        with open("failed.txt", "a") as file:
            file.write(name_of(report) + "\\n")

pytest_runtest_logreport = pytest_collectreport = note

@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    if os.environ.get("NBXUNIT_KERNEL"):
        return
    stats = terminalreporter.stats
    for name in {name_of(report) for reports in stats.values() for report in reports}:
        own = copy.copy(terminalreporter)
        own.stats = {
            key: kept
            for key, reports in stats.items()
            if (kept := [report for report in reports if name_of(report) == name])
        }
        own._main_color = own._already_displayed_warnings = None
        with open(name + ".txt", "w", encoding="utf-8") as file:
            own._tw = create_terminal_writer(config, file)
            own.summary_errors()
            own.summary_failures()
            own.summary_warnings()
            own.short_test_summary()
            own.summary_stats()
"""
"""Notes which notebooks failed, and what pytest's own terminal says of each of them in the end."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The events of a run, whether it failed, and the `text` that a person reads in the end."""

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
    has; its text is what pytest's terminal says in the end where there are no others.
    """
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    named = {word.partition(".ipynb::")[0] for word in words}
    for name, book in books.items():
        (folder / name).parent.mkdir(exist_ok=True)
        nbformat.write(book, folder / f"{name}.ipynb")
    paths = [f"{name}.ipynb" for name in books if name not in named]
    done = warm_commands.run(
        "nbxunit", ["run", *words, *paths], cwd=folder, env=environment(COLUMNS="100"), timeout=TIMEOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if len(books) == 1:
        failed = set(books) if done.returncode else set()
    else:
        assert done.returncode in (0, 1), done.stdout
        failed = set(lines(folder / "failed.txt"))
    texts = {name: folder / f"{name}.txt" for name in books} if len(books) > 1 else {}
    return {
        name: Outcome(
            lines(folder / f"{name}.log"),
            name in failed,
            "\n".join(lines(texts[name])) if name in texts else done.stdout,
        )
        for name in books
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
