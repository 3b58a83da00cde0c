"""Notebook files to cells: reading, what a static look tells, the tags of a cell.

The only user of nbformat, which is imported when a notebook is read.
"""

from __future__ import annotations

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

from nbxunit import directives
from nbxunit.host import compat

if TYPE_CHECKING:
    import pytest
    from nbformat import NotebookNode

CHECKPOINTS = ".ipynb_checkpoints"


class NotebookError(Exception):
    """A notebook that cannot be run as it is; the message says why and what to try."""


def is_notebook(config: pytest.Config, path: Path, *, named: bool) -> bool:
    """Whether `path` is a notebook to run: one that is named, or one that matches `nbxunit_files`."""
    if path.suffix != ".ipynb" or CHECKPOINTS in path.parts:
        return False
    globs: Iterable[str] = config.getini("nbxunit_files")
    return named or any(
        path.match(glob) if "/" in glob else fnmatch.fnmatch(path.name, glob) for glob in globs
    )


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


def read(path: Path) -> NotebookNode:
    """The notebook in `path`, as nbformat 4. NotebookError if it is none."""
    with compat.without_grammar():
        import nbformat
        from nbformat.reader import NotJSONError
        from nbformat.validator import normalize
    try:
        text = _text_of(path)
    except (OSError, UnicodeDecodeError) as exc:
        raise NotebookError(f"{path.name} cannot be read: {exc}") from exc
    if not text.strip():
        raise NotebookError(f"{path.name} is empty; a notebook is JSON, as Jupyter saves it")
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing or repeated ids are mended
            _, notebook = normalize(nbformat.reads(text, as_version=4))
            nbformat.validate(notebook)
    except NotJSONError as exc:
        raise NotebookError(
            f"{path.name} is no notebook, for it is not JSON: {_why_not_json(text)}"
        ) from exc
    except nbformat.ValidationError as exc:
        raise NotebookError(
            f"{path.name} is no valid notebook: {str(exc).partition(chr(10))[0]}"
        ) from exc
    except Exception as exc:
        if not text.lstrip().startswith("{"):
            raise NotebookError(f"{path.name} is no notebook, for its JSON is no object") from exc
        raise NotebookError(f"{path.name} is no notebook: {type(exc).__name__}: {exc}") from exc
    if '"nbformat"' not in text:
        # nbformat has taken it for its first version, and dropped the cells.
        raise NotebookError(f"{path.name} is no notebook, for it does not say its nbformat")
    _check_sources(path, notebook)
    return cast("NotebookNode", notebook)


def _text_of(path: Path) -> str:
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


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a notebook's metadata say of it: its language, in lower case, and its kernel's name."""

    language: str = "python"
    kernel: str = "python3"

    @classmethod
    def of(cls, notebook: Mapping[str, Any]) -> Self:
        """Of the notebook's JSON, also where parts of it are missing or make no sense."""
        metadata = _mapping(notebook.get("metadata"))
        spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
        language = spec.get("language") or info.get("name") or cls.language
        return cls(str(language).lower(), str(spec.get("name") or cls.kernel))

    @property
    def is_python(self) -> bool:
        """Whether it is in the language that nbxunit runs."""
        return self.language in ("python", "ipython")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def peek(path: Path) -> Origin:
    """The origin of the notebook in `path`, without nbformat. NotebookError if it is no notebook."""
    try:
        notebook = json.loads(_text_of(path))
    except (OSError, ValueError, RecursionError):
        return Origin.of(read(path))  # which says what is wrong
    return Origin.of(_mapping(notebook))


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags") or ())


def may_have_tests(config: pytest.Config, path: Path) -> bool:
    """Whether a static look finds anything in a notebook that could be a test or hook.

    True also where the file cannot be understood: then reading it must say so.
    """
    try:
        cells = json.loads(_text_of(path))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return True
    pattern = _test_pattern(config)
    return any(pattern.search(source) for source in sources)


def _test_pattern(config: pytest.Config) -> re.Pattern[str]:
    functions = "|".join(["test", *map(_as_regex, config.getini("python_functions"))])
    classes = "|".join(["Test", *map(_as_regex, config.getini("python_classes"))])
    imported = rf"\bimport\s+(?:\*|(?:\([^)]*|[^\n]*)\b(?:{functions}|{classes}))"
    return re.compile(
        rf"xunit|\bdef\s+(?:{functions})|\bclass\s+(?:{classes})|TestCase|load_tests|\bfrom\s+[\w.]+\s+{imported}"
    )


def _as_regex(prefix_or_glob: str) -> str:
    return re.escape(prefix_or_glob).replace(r"\*", r"\w*").replace(r"\?", r"\w")


def check_tags(cell: NotebookNode) -> None:
    """NotebookError for a tag that makes no sense on a hook or test cell."""
    if "raises-exception" in tags(cell) and directives.find(cell.source):
        first = cell.source.strip().partition("\n")[0]
        raise NotebookError(
            f"the tag raises-exception makes no sense on a cell that only registers ({first}); "
            'for a test that is to fail, use --mark "xfail(raises=...)"'
        )
