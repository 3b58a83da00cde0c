"""Notebooks that jupytext keeps in two files in step: a text, and an .ipynb file with the outputs.

jupytext is imported for a text that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbxunit.host.notebooks import files
from nbxunit.host.notebooks.files import NotebookError


def of(path: Path) -> Iterator[Path]:
    """The .ipynb files that are there and paired with the text notebook in `path`, as its header says."""
    try:
        metadata = files.read(path).metadata
    except NotebookError:
        return  # which its run will say
    formats = metadata.get("jupytext", {}).get("formats")
    if not formats:
        return
    from jupytext import paired_paths
    from jupytext.formats import long_form_multiple_formats

    known = long_form_multiple_formats(formats, metadata)
    own = next((form for form in known if form["extension"] == path.suffix), None)
    if own is None:
        return
    try:
        pairs = paired_paths.paired_paths(str(path), own, known)
    except paired_paths.InconsistentPath:
        return
    yield from (Path(pair) for pair, _ in pairs if pair.endswith(".ipynb") and Path(pair).is_file())


def are_same(path: Path, twin: Path) -> bool:
    """Whether the code of two notebooks is the same, but for white space at the ends of lines."""
    try:
        return _code(path) == _code(twin)
    except NotebookError:
        return False


def _code(path: Path) -> list[list[str]]:
    cells = files.read(path).cells
    sources = [cell.source.strip() for cell in cells if cell.cell_type == "code"]
    return [[line.rstrip() for line in source.splitlines()] for source in sources if source]
