"""The client of a Dask cluster, as `--dask` names it: an address, a scheduler file, or a function.

The one module that imports distributed.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

ANSWER = 8.0
"""Seconds until a scheduler or worker answers for the first time."""
_ADDRESS = re.compile(r"[a-z]+://.+|[^/]+:\d+")
_FUNCTION = re.compile(r"[\w.]+:[\w.]+")


class ClusterError(Exception):
    """A cluster that cannot run notebooks; the message says what is wrong and what to try."""


def connect(where: str, folder: Path) -> Client:
    """The client of the cluster that `where` names, as seen from `folder`. ClusterError."""
    try:
        from distributed import Client
    except ImportError as exc:
        raise ClusterError(
            f"Dask cannot be imported ({exc}); install it with: pip install 'nbxunit[dask]'"
        ) from exc
    with warnings.catch_warnings():
        # Of versions that differ; whether that matters is looked at worker by worker.
        warnings.simplefilter("ignore")
        if _ADDRESS.fullmatch(where):
            return _answering(lambda **options: Client(where, **options))
        if _FUNCTION.fullmatch(where) and not Path(folder, where).exists():
            return _returned(where, folder, Client)
        return _answering(_of_file(Path(folder, where), Client))


def _answering(make: Callable[..., Client]) -> Client:
    try:
        return make(timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as exc:
        raise ClusterError(
            f"no scheduler answers within {ANSWER:g} s ({exc}); does one run there (dask scheduler), and "
            "can this machine reach it?"
        ) from exc


def _of_file(file: Path, client: type[Client]) -> Callable[..., Client]:
    if not file.is_file():
        raise ClusterError(
            f"there is no scheduler file {file}; a scheduler writes one where it is started with "
            "--scheduler-file, and --dask also takes an address (tcp://host:8786) or a function (module:name)"
        )
    try:
        json.loads(file.read_bytes())["address"]
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise ClusterError(f"{file} is no scheduler file: {exc!r}") from exc
    return lambda **options: client(scheduler_file=str(file), **options)


def _returned(where: str, folder: Path, client: type[Client]) -> Client:
    """What a function returns, if it is a client that is connected."""
    module, _, name = where.partition(":")
    with _importing_from(folder):
        try:
            function: Any = importlib.import_module(module)
            for part in name.split("."):
                function = getattr(function, part)
        except (ImportError, AttributeError) as exc:
            raise ClusterError(f"{where} cannot be imported: {exc}") from exc
        try:
            found = function()
        except Exception as exc:
            raise ClusterError(f"{where}() raised {type(exc).__name__}: {exc}") from exc
    if inspect.iscoroutine(found):
        found.close()
        raise ClusterError(f"{where} is async; it is to return a client, without asynchronous=True")
    if not isinstance(found, client):
        kind = type(found).__name__
        raise ClusterError(f"{where}() returned {kind}, not a distributed.Client")
    if found.asynchronous:
        raise ClusterError(
            f"{where}() returned an asynchronous client; leave out asynchronous=True"
        )
    if found.status != "running":
        raise ClusterError(f"{where}() returned a client that is not connected")
    return found


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Within, modules of `folder` can be imported, behind all others."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
