"""Runs lifecycle cases: headless in a process of `nbxunit run`, inline by plain nbclient."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import batches
import nbformat
import warm_commands
import warm_kernels
from lifecycle_cases import Case
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

TIMEOUT = 120
HELPER = """\
%load_ext nbxunit
def ev(text):
    import os
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(text + "\\n")
"""
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run did: `events`, `output`, its `exit` status, the `error` that ended a notebook."""

    events: list[str]
    output: str
    exit: int = 0
    error: str = "ok"


def write(case: Case, folder: Path) -> Path:
    """Write the notebook and files of `case` into `folder`; the notebook's path."""
    path = folder / case.header.get("notebook", "nb.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(_notebook(case), path)
    for name, text in {"pytest.ini": "[pytest]\n", **case.files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return path


def headless(case: Case, folder: Path) -> Outcome:
    """`case` in a process of its own."""
    path = write(case, folder)
    words = case.header.get("args", path.relative_to(folder).as_posix())
    result = warm_commands.run(
        "nbxunit", ["run", *shlex.split(words)], cwd=folder, env=_environment(folder), timeout=TIMEOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Outcome(_events(folder), result.stdout, result.returncode)


def together(cases: Sequence[Case], folder: Path) -> dict[str, Outcome]:
    """`cases`, which can share a process, in one; by their names."""
    paths = {case.name: f"{case.name.replace('/', '-')}/nb" for case in cases}
    books = {
        paths[case.name]: _notebook(case, batches.recording(folder / f"{paths[case.name]}.log"))
        for case in cases
    }
    outcomes = batches.headless(books, folder)
    return {
        name: Outcome(outcomes[path].events, outcomes[path].text, int(outcomes[path].failed))
        for name, path in paths.items()
    }


def _notebook(case: Case, first: str = "") -> nbformat.NotebookNode:
    """The notebook of `case`; its first cell is the harness's, with the code `first` in the end."""
    helper = HELPER if case.runs_cells else f"{HELPER}%xunit_config run_cells=False\n"
    cells = [new_code_cell(helper + first)]
    cells += [new_code_cell(cell.source, metadata={"tags": [*cell.tags]}) for cell in case.cells]
    return new_notebook(cells=cells, metadata=METADATA)


def inline(case: Case, folder: Path) -> tuple[Outcome, Outcome | None]:
    """`case` in a notebook whose last cell is `%xunit_run`, and what the same run does again."""
    path = write(case, folder)
    notebook = nbformat.read(path, 4)
    run = f"%xunit_run {case.header.get('inline-args', '')}".rstrip()
    own = len(notebook.cells)
    if not case.runs_cells:
        notebook.cells += [new_code_cell(run), new_code_cell(run)]
    with _client(notebook, path.parent, folder) as client:
        error = _execute(client, range(own))
        before = len(_events(folder))
        if case.runs_cells or error != "ok":
            return Outcome(_events(folder), _output(notebook), error=error), None
        error = _execute(client, [own])
        first = Outcome(_events(folder), _output(notebook), error=error)
        if error == "died":
            return first, None
        error = _execute(client, [own + 1])
        events = first.events[:before] + _events(folder)[len(first.events) :]
        return first, Outcome(events, _output(notebook, own + 1), error=error)


@contextlib.contextmanager
def _client(notebook: nbformat.NotebookNode, cwd: Path, folder: Path) -> Iterator[NotebookClient]:
    with warm_kernels.started(cwd, _environment(folder)) as (manager, kernel):
        client = NotebookClient(notebook, km=manager, timeout=TIMEOUT)
        client.kc = kernel
        yield client


def _execute(client: NotebookClient, indices: range | list[int]) -> str:
    for index in indices:
        try:
            client.execute_cell(client.nb.cells[index], index)
        except CellExecutionError as exc:
            return exc.ename
        except DeadKernelError:
            return "died"
    return "ok"


def _output(notebook: nbformat.NotebookNode, first: int = 0) -> str:
    texts = []
    for cell in notebook.cells[first:]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            texts.append(output.get("text") or data.get("text/plain") or "")
            texts += output.get("traceback", [])
    return "\n".join(texts)


def _events(folder: Path) -> list[str]:
    file = folder / "events.log"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def _environment(folder: Path) -> dict[str, str]:
    return batches.environment(EVENTS_FILE=str(folder / "events.log"), COLUMNS="100")
