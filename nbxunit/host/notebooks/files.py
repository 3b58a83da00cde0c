"""Notebook files to cells: reading, what a static look tells, the tags of a cell.

The only user of nbformat, which is imported when a notebook is read, or a kernel is waited for.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import errno
import fnmatch
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from nbxunit import directives, lines, text_notebooks
from nbxunit.host import compat

if TYPE_CHECKING:
    import pytest
    from nbformat import NotebookNode

CHECKPOINTS = ".ipynb_checkpoints"


class NotebookError(Exception):
    """A notebook that cannot be run as it is; the message says why and what to try."""


def is_notebook(config: pytest.Config, path: Path, *, named: bool) -> bool:
    """Whether `path` is a notebook to run: one that is named, or one that matches `nbxunit_files`.

    A Python file is one if it matches, or is named and says so (see `text_notebooks.says_so`).
    """
    if not is_notebook_name(path) or CHECKPOINTS in path.parts or path.name == "conftest.py":
        return False
    globs: Iterable[str] = config.getini("nbxunit_files")
    if any(path.match(glob) if "/" in glob else fnmatch.fnmatch(path.name, glob) for glob in globs):
        return True
    return named and (path.suffix != text_notebooks.SCRIPT or _says_so(path))


def is_notebook_name(path: Path) -> bool:
    """Whether a file may be a notebook, by the ending of its name: .ipynb, or one that jupytext reads."""
    return path.suffix == ".ipynb" or is_text(path)


def is_text(path: Path) -> bool:
    """Whether a notebook is text that jupytext reads, by the ending of its name."""
    return path.suffix in text_notebooks.SUFFIXES


def _says_so(path: Path) -> bool:
    try:
        return text_notebooks.says_so(text_of(path))
    except (OSError, UnicodeDecodeError):
        return False


def is_loop(path: Path) -> bool:
    """Whether `path` is a link to a folder that it lies in."""
    try:
        return (
            path.is_symlink()
            and path.is_dir()
            and path.parent.resolve().is_relative_to(path.resolve())
        )
    except OSError:
        return False


def import_ahead() -> None:
    """Import what reading takes, and compile the schema, while there is nothing else to do."""
    with compat.without_grammar(), contextlib.suppress(Exception):  # `read` tells of it
        import nbformat
        from nbformat import v4

        nbformat.validate(v4.new_notebook())


def read(path: Path) -> NotebookNode:
    """The notebook in `path`, as nbformat 4. NotebookError if it is none."""
    if is_text(path):
        return _read_text(path)
    with compat.without_grammar():
        import nbformat
        from nbformat import converter, reader
        from nbformat.validator import normalize
    try:
        text = text_of(path)
    except (OSError, UnicodeDecodeError) as exc:
        raise NotebookError(f"{path.name} cannot be read: {exc}") from exc
    if not text.strip():
        raise NotebookError(f"{path.name} is empty; a notebook is JSON, as Jupyter saves it")
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing or repeated ids are mended
            try:
                read = reader.reads(text)
            except nbformat.ValidationError:
                read = reader.reads(_with_metadata(text))
            notebook = converter.convert(read, 4)
            _check_cells(path, notebook)
            _, notebook = normalize(notebook)
    except reader.NotJSONError as exc:
        raise NotebookError(
            f"{path.name} is not a notebook: it is not JSON: {_why_not_json(text)}"
        ) from exc
    except NotebookError:
        raise
    except Exception as exc:
        if not text.lstrip().startswith("{"):
            raise NotebookError(f"{path.name} is not a notebook: its JSON is not an object") from exc
        raise NotebookError(f"{path.name} is not a notebook: {type(exc).__name__}: {exc}") from exc
    if '"nbformat"' not in text:
        # nbformat has taken it for its first version, and dropped the cells.
        raise NotebookError(f"{path.name} is not a notebook: it does not say its nbformat")
    _check_sources(path, notebook)
    return cast("NotebookNode", notebook)


def _read_text(path: Path) -> NotebookNode:
    try:
        notebook = text_notebooks.parse(text_of(path), path.suffix)
    except (OSError, UnicodeDecodeError, text_notebooks.TextNotebookError) as exc:
        raise NotebookError(f"{path.name} cannot be read: {exc}") from exc
    _check_cells(path, notebook)
    _check_sources(path, notebook)
    return cast("NotebookNode", notebook)


def first_lines(path: Path, notebook: NotebookNode) -> list[int]:
    """The lines of the text notebook in `path` in which the cells that are executed begin."""
    return text_notebooks.first_lines(text_of(path), path.suffix, notebook)


def is_executed(cell: NotebookNode) -> bool:
    """Whether a run executes a cell, and counts it."""
    return lines.is_executed(cell, cell.source)


def remarks(notebook: NotebookNode) -> Iterator[str]:
    """What a person should know of a notebook that can be run all the same, each in one line."""
    import nbformat

    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as exc:
        slip = str(exc).partition("\n")[0]
        yield f"not quite a valid notebook, but run all the same: {slip}"
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if any(map(directives.find, sources)) and not any(map(directives.loads_extension, sources)):
        yield (
            "no cell says %load_ext nbxunit, without which its hook and test cells are none in Jupyter"
        )


def _with_metadata(text: str) -> str:
    """The notebook with metadata wherever nbformat needs some to read it at all."""
    notebook = json.loads(text)
    cells = notebook.get("cells")
    for each in (notebook, *(cells if isinstance(cells, list) else ())):
        if isinstance(each, dict):
            each.setdefault("metadata", {})
    return json.dumps(notebook)


def _check_cells(path: Path, notebook: Any) -> None:
    """NotebookError where what a run uses is not as it should be; what it does not, is mended."""

    def wrong(text: str) -> NotebookError:
        return NotebookError(f"{path.name} is not a valid notebook: {text}")

    if not isinstance(notebook.get("cells"), list):
        raise wrong("its cells are no list")
    if not isinstance(notebook.get("metadata"), dict):
        notebook["metadata"] = type(notebook)()
    ids: set[str] = set()
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, dict):
            raise wrong(f"its cell {number} is no object")
        if cell.get("cell_type") not in ("code", "markdown", "raw"):
            raise wrong(f"its cell {number} has the type {cell.get('cell_type')!r}")
        if not isinstance(cell.get("source"), str):
            raise wrong(f"its cell {number} has no source")
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = type(notebook)()
        cell_tags = cell["metadata"].get("tags", [])
        if not isinstance(cell_tags, list) or not all(isinstance(tag, str) for tag in cell_tags):
            raise wrong(f"the tags of its cell {number} are not a list of strings: {cell_tags!r}")
        if not isinstance(cell.get("id", ""), str) or cell.get("id") in ids:
            del cell["id"]
        ids.add(cell.get("id", ""))


def text_of(path: Path) -> str:
    """The text of a file. OSError also for what is none: reading a pipe would not end."""
    with open(path, encoding="utf-8-sig", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return file.read()


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_sources(path: Path, notebook: Any) -> None:
    """NotebookError for code that cannot be sent to a kernel, nor compiled there."""
    for number, cell in enumerate(notebook.cells, 1):
        try:
            cell.source.encode()
        except UnicodeEncodeError as exc:
            raise NotebookError(
                f"{path.name} has half a Unicode character (a lone surrogate) in its cell {number}"
            ) from exc


def new_code_cell(notebook: NotebookNode, source: str) -> NotebookNode:
    """A code cell in the form of `notebook`: it has an id where that format knows ids."""
    from nbformat import v4

    cell = v4.new_code_cell(source)
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        del cell["id"]
    return cast("NotebookNode", cell)


def node(content: Mapping[str, Any]) -> NotebookNode:
    """Plain data as nbformat's kind of dict."""
    from nbformat.notebooknode import from_dict

    return cast("NotebookNode", from_dict(content))


def encoded(notebook: NotebookNode) -> Iterator[bytes]:
    """The notebook as the content of a file, part by part."""
    from nbformat.v4 import nbjson, rwbase

    # What `nbformat.v4.writes` does, but never as one string: in that one emoji makes all characters wide.
    encoder = nbjson.BytesEncoder(
        indent=1, sort_keys=True, separators=(",", ": "), ensure_ascii=False
    )
    plain = rwbase.strip_transient(rwbase.split_lines(copy.deepcopy(notebook)))
    for part in encoder.iterencode(plain):
        yield part.encode("utf-8", "backslashreplace")  # which JSON reads as the surrogate it was


def _why_not_json(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as exc:
        return str(exc)
    return "it is not an object"


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags") or ())


def check_tags(cell: NotebookNode) -> None:
    """NotebookError for a tag that makes no sense on a hook or test cell."""
    if "raises-exception" in tags(cell) and directives.find(cell.source):
        first = cell.source.strip().partition("\n")[0]
        raise NotebookError(
            f"the tag raises-exception makes no sense on a cell that only registers ({first}); "
            'for a test that is to fail, use --mark "xfail(raises=...)"'
        )
