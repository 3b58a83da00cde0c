"""Jobs and records as JSON, and back, for a host and a worker on different machines.

Imports the standard library. What the other side sends is checked against the fields that are declared here.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from nbxunit import protocol
from nbxunit.host import records
from nbxunit.host.records import Job, Record

T = TypeVar("T")
_KINDS = {kind.__name__: kind for kind in get_args(Record) if kind not in get_args(protocol.Event)}


def of_job(job: Job) -> Any:
    """What JSON can carry of a job; `job` makes an equal one of it."""
    return json.loads(json.dumps(dataclasses.asdict(job), default=str))


def job(data: Any) -> Job:
    """The job that `data` stands for. ProtocolError."""
    return _made(Job, data)


def encode(record: Record) -> str:
    """A record as one line of JSON; `decode` gives an equal one back."""
    if isinstance(record, get_args(protocol.Event)):
        return protocol.encode(record)
    return json.dumps({"record": type(record).__name__, **dataclasses.asdict(record)})


def decode(text: str) -> Record:
    """The record that `text` stands for. ProtocolError."""
    try:
        data = json.loads(text)
        kind = _KINDS.get(data.pop("record", ""))
    except (ValueError, AttributeError, TypeError) as exc:
        raise protocol.ProtocolError(f"{text[:200]!r} is no record") from exc
    return protocol.decode(text) if kind is None else _made(kind, data)


def _made(kind: type[T], data: Any) -> T:
    """A dataclass of `data`, with the tuples, paths and dataclasses that JSON has none of."""
    try:
        hints = get_type_hints(kind, vars(records))
        return kind(**{name: _restored(hints[name], value) for name, value in data.items()})
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise protocol.ProtocolError(f"no {kind.__name__}: {exc!r}") from exc


def _restored(hint: Any, value: Any) -> Any:
    """`value` as its declared type wants it. TypeError where it is of another."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        (other,) = (each for each in inner if each is not types.NoneType)
        return None if value is None else _restored(other, value)
    if origin is tuple:
        of_all = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_restored(each, item) for each, item in zip(of_all, value, strict=True))
    if origin is Mapping:
        return {key: _restored(inner[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(hint):
        return _made(typing.cast("type[Any]", hint), value)
    if hint is Path:
        return Path(value)
    wanted = (int, float) if hint is float else hint
    if hint is not Any and not isinstance(value, wanted):
        raise TypeError(f"{value!r} is not {hint}")
    return value
