"""The executed notebook as a file: outputs of the cells, and the results of the tests in each.

May use notebooks. It is written beside its place and renamed, so that there is the old file or the
new one, and never half of one; the source is never touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbxunit import protocol
from nbxunit.host.notebooks import files
from nbxunit.host.notebooks.files import NotebookError
from nbxunit.host.records import Broken, Died, Record, Skipped

if TYPE_CHECKING:
    from nbformat import NotebookNode


MARK, SOURCE = "nbxunit", "saved_from"
"""The keys of a notebook's metadata that say which notebook it was saved from, relative to its folder."""


def is_saved(path: Path) -> bool:
    """Whether a run has saved the notebook in `path` from another one that is still there.

    One that was moved to the place of its source is a source.
    """
    try:
        text = files.text_of(path)
        if f'"{SOURCE}"' not in text:
            return False
        source = Path(path.parent, json.loads(text)["metadata"][MARK][SOURCE])
        return source.is_file() and not source.samefile(path)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


class Saved:
    """A copy of a notebook that takes the records of its run, and is written to `path` at the end."""

    def __init__(self, notebook: NotebookNode, source: Path, path: Path) -> None:
        if path.exists() and path.samefile(source):
            raise NotebookError(f"{path} is the notebook itself, which a run does not change")
        self._notebook = notebook
        self._source = source
        self._path = path
        self._cells: dict[str, Any] = {}
        self._results: dict[str, list[str]] = {}
        self._running = ""
        self._report: Mapping[str, Any] = {}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None

    def number(self, cell: NotebookNode, number: int) -> None:
        """`cell` is executed as `In[number]`."""
        cell.execution_count = number or None
        self._cells[f"cell {number}"] = cell

    def take(self, record: Record) -> None:
        """Note what belongs into the file."""
        if isinstance(record, protocol.Started):
            self._running = record.nodeid
        elif isinstance(record, protocol.Reported):
            self._report = record.report
            self._reported(record.report)
        elif isinstance(record, protocol.Repeated):
            for changes in record.changes:
                self._reported({**self._report, **changes})
        elif isinstance(record, Died) and self._running:
            self._results.setdefault("", []).append(f"ERROR {self._running}\n{record.text}")
        elif isinstance(record, Broken):
            self._results.setdefault("", []).append(f"ERROR {record}")
        elif isinstance(record, Skipped):
            self._results.setdefault("", []).append(f"SKIPPED {record.place}: {record.reason}")

    def _reported(self, report: Mapping[str, Any]) -> None:
        outcome, when = str(report.get("outcome")), report.get("when")
        if outcome == "passed" and when != "call":
            return
        properties = dict(each for each in report.get("user_properties", ()) if len(each) == 2)  # noqa: PLR2004 - pairs
        word = "ERROR" if outcome == "failed" and when != "call" else outcome.upper()
        name = str(report.get("nodeid")).partition("::")[2]
        seconds = report.get("duration")
        time = f"  {seconds:.2f} s" if isinstance(seconds, int | float) else ""
        text = f"{word} {name}{time}"
        message = _message(report.get("longrepr"))
        self._results.setdefault(str(properties.get("cell", "")), []).append(
            f"{text}\n{message}" if message else text
        )

    def show(self, outputs: Mapping[str, Iterable[Any]]) -> None:
        """Let cells show these outputs, by their labels, in place of the words of their tests' reports."""
        for label, own in outputs.items():
            if label in self._cells:
                cell = self._cells[label]
                before = [each for each in cell.outputs if not _is_ours(each)]
                cell.outputs = [*before, *map(files.node, own)]
                self._results.pop(label, None)

    def write(self) -> None:
        """Write the file. NotebookError if that fails."""
        for label, texts in self._results.items():
            cell = self._cells.get(label) or self._last()
            if cell is not None:
                data = {"text/plain": "\n".join(texts)}
                output = {"output_type": "display_data", "data": data, "metadata": {}}
                cell.outputs.append(type(cell)(output))
        self._notebook.metadata[MARK] = {SOURCE: _relative(self._source, self._path.parent)}
        try:
            replace(self._path, files.encoded(self._notebook), mode_of=self._source)
        except (OSError, ValueError) as exc:
            raise NotebookError(f"{self._path} cannot be written: {exc}") from exc

    def _last(self) -> Any:
        """The cell that was executed last."""
        return list(self._cells.values())[-1] if self._cells else None


def _is_ours(output: Any) -> bool:
    """Whether an output is one of nbxunit's own, as of a cell that lists the tests before they have run."""
    return 'class="nbx ' in str(output.get("data", {}).get("text/html", ""))


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.absolute().as_posix()


def _message(longrepr: object) -> str:
    if isinstance(longrepr, Mapping):
        crash = longrepr.get("reprcrash")
        longrepr = crash.get("message", "") if isinstance(crash, Mapping) else ""
    elif isinstance(longrepr, tuple):
        longrepr = longrepr[-1]
    return str(longrepr or "")


def replace(path: Path, data: Iterable[bytes], *, mode_of: Path) -> None:
    """Put `data`, part by part, into the place of `path` at once, with the mode of a file; OSError if that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name[:50]}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(_new_file(beside), "wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
            if not beside.exists():
                # With the descriptor of a folder, which does not matter, Python follows the link.
                os.link(f"{_OWN_FILES}/{file.fileno()}", beside, src_dir_fd=file.fileno())
        beside.chmod((path if path.exists() else mode_of).stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


_OWN_FILES = "/proc/self/fd"


def _new_file(path: Path) -> int:
    """The descriptor of a new file, which has its name later, or at once where the system wants that.

    A process that is killed meanwhile leaves nothing that has no name.
    """
    if hasattr(os, "O_TMPFILE") and Path(_OWN_FILES).is_dir():
        with contextlib.suppress(OSError):  # not every file system has such files
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
