"""The code of a notebook's tests, kept from one run to the next, as Python keeps that of modules.

Imports the standard library and what both sides share. To rewrite and compile asserts takes longer than
most tests. The file lies in `__pycache__` beside the notebook, where pytest keeps what it has rewritten of
modules: who can write there can change the notebook as well.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import marshal
import os
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import nbxunit
from nbxunit import originals

FORMAT = 1
"""Counts the changes of what is kept, and of the rewriting, within a version of nbxunit."""
WORTH = 5_000
"""So many characters of cells with tests are worth a file."""
_Codes: TypeAlias = dict[bytes, tuple[types.CodeType, ...]]
_dumps, _loads = partial(marshal.dumps), partial(marshal.loads)
_replace, _mkdir = partial(os.replace), partial(os.makedirs)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def file_of(notebook: Path) -> Path | None:
    """Where the code of a notebook is kept, if this Python keeps any."""
    try:
        beside = importlib.util.cache_from_source(str(notebook))  # knows of PYTHONPYCACHEPREFIX
    except NotImplementedError:
        return None
    tag = f"{sys.implementation.cache_tag}-pytest-{version('pytest')}-nbxunit.pyc"
    return Path(beside).with_name(f"{notebook.name}.{tag}")


class KeptCode:
    """The code of the tests in the cells of one notebook, from `file` and for it.

    A file that is damaged, or of other versions, counts as none; without a file nothing is kept.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        made_by = nbxunit.__version__, FORMAT, sys.version, sys.flags.optimize
        self._head = hashlib.sha256(repr(made_by).encode()).digest()
        self._before = self._read()
        self._now: _Codes = {}
        self._size = 0
        self._key = b""
        self._known: dict[ast.AST | None, types.CodeType] = {}
        self._wanted: dict[ast.AST | None, types.CodeType | None] = {}

    def take(self, texts: Sequence[str], tests: Sequence[ast.stmt]) -> bool:
        """Whether the code of a cell's `tests` is known; else it is kept as it is compiled.

        `texts` decide what it is, but for the name of its file.
        """
        self._end_cell()
        if self._file is None:
            return False
        places = [(node.lineno, node.end_lineno, node.col_offset) for node in tests]
        data = "\0".join((*texts, repr(places)))
        self._key = hashlib.sha256(data.encode("utf-8", "surrogatepass")).digest()
        self._size += len(texts[0])
        codes = self._before.get(self._key, ())
        if len(codes) != len(tests):
            self._wanted = dict.fromkeys(tests)
            return False
        self._now[self._key] = codes
        self._known = dict(zip(tests, codes, strict=True))
        return True

    def compiled(
        self, tree: object, filename: str, make: Callable[[], types.CodeType]
    ) -> types.CodeType:
        """The code of `tree`: what is known of it, else what `make` makes."""
        body = tree.body if isinstance(tree, ast.Module) else ()
        node = body[0] if len(body) == 1 else None
        if node in self._known:
            return _moved(self._known[node], filename)
        if node not in self._wanted:
            return make()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            code = make()
        if said:  # it is to be said in each run
            return make()
        self._wanted[node] = code
        return code

    def save(self) -> None:
        """Keep what the cells of this run have, if it is worth a file, and where one can be written."""
        self._end_cell()
        is_new = self._now.keys() != self._before.keys()
        if self._file is None or not is_new or self._size < WORTH or sys.dont_write_bytecode:
            return
        data = _dumps(self._now)
        with contextlib.suppress(OSError):
            _mkdir(self._file.parent, exist_ok=True)
            part = f"{self._file}.{originals.getpid()}"
            descriptor = originals.open_file(part, _CREATE, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._head + hashlib.sha256(data).digest() + data)
            _replace(part, self._file)

    def _end_cell(self) -> None:
        codes = tuple(code for code in self._wanted.values() if code is not None)
        if codes and len(codes) == len(self._wanted):
            self._now[self._key] = codes
        self._known, self._wanted = {}, {}

    def _read(self) -> _Codes:
        try:
            data = self._file.read_bytes() if self._file is not None else b""
        except OSError:
            return {}
        head, digest, codes = data[:32], data[32:64], data[64:]
        if head != self._head or digest != hashlib.sha256(codes).digest():
            return {}
        found: _Codes = _loads(codes)
        return found


def _moved(code: types.CodeType, filename: str) -> types.CodeType:
    """`code` in a file of another name: ipykernel's names have the number of its process in them."""
    consts = (
        _moved(const, filename) if isinstance(const, types.CodeType) else const
        for const in code.co_consts
    )
    return code.replace(co_filename=filename, co_consts=tuple(consts))
