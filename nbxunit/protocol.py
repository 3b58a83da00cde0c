"""What kernel and host say to each other: events of a run, and the answers to them.

Shared by both, so it imports the standard library only. Events come from a process in which user
code may do anything: `decode` takes strict JSON of bounded size, refuses unknown fields and strips
control characters. How events travel is in `frames`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from itertools import pairwise
from typing import Any, TypeAlias, get_args

from nbxunit import originals

KERNEL_ID = "NBXUNIT_KERNEL_ID"
"""The variable by which what a kernel starts is known, also in a session of its own."""
VERSION = "2.0"
EXECUTE = "nbxunit_execute_request"
EXECUTED = "nbxunit_execute_reply"
"""The types of a request with many cells and of its reply. The request's content: `cells`, a list of
id, source and whether the cell may be registered without being executed. The reply's: `begun`, how
many were executed, and `reply`, the content of an execute reply to the last of them."""
LINE, SKIP = "nbxunit_line", "nbxunit_skip"
"""The fields of an execute reply that say in which of its lines a cell has raised, and why it skips its notebook."""
INJECTED = "injected-parameters"
"""The id of a cell that no notebook's file has, and that does not count: it gives values to parameters."""
STREAM_LIMIT = 1_000_000
"""Bytes (see `limits.width`) of one cell's stdout and stderr that are kept, at its beginning."""
STREAM_TAIL = 50_000
"""Characters that are kept at its end."""
LEFT_OUT = "nbxunit_left_out"
"""The field of a stream's message that tells how much the kernel left out before its tail."""


REPEATABLE = frozenset({"when", "duration", "start", "stop", "_subtest.context"})
"""The fields of a report that differ where all else is as in the one before."""


class ProtocolError(ValueError):
    """A frame or answer that cannot be what the other side meant to send."""


@dataclasses.dataclass(frozen=True)
class Hello:
    """The first event of a session: who speaks."""

    protocol: str
    nbxunit: str
    pytest: str
    python: str
    executable: str
    plugins: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Collected:
    """The node ids of tests that will run, in order, and of those left out; where there are none, `reasons`.

    `places` are the numbers of their cells and the lines there, or 0 and a line of the file.
    """

    nodeids: tuple[str, ...]
    deselected: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    places: tuple[tuple[int, int], ...] = ()


@dataclasses.dataclass(frozen=True)
class Started:
    """A test begins."""

    nodeid: str
    location: tuple[str, int | None, str]


@dataclasses.dataclass(frozen=True)
class Reported:
    """A report, as pytest's `pytest_report_to_serializable` makes it."""

    report: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Repeated:
    """The last report, again and again, with other fields of REPEATABLE: most subtests, and phases of tests."""

    changes: tuple[dict[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Finished:
    """A test has ended, its teardown included."""

    nodeid: str
    location: tuple[str, int | None, str]


@dataclasses.dataclass(frozen=True)
class Warned:
    """A warning was recorded; `category` is the name of a class of Python or pytest."""

    message: str
    category: str
    filename: str
    lineno: int
    when: str
    nodeid: str
    location: tuple[str, int, str] | None = None


@dataclasses.dataclass(frozen=True)
class Said:
    """What pytest's live log writes while tests run."""

    text: str


@dataclasses.dataclass(frozen=True)
class Ended:
    """The last event: pytest's exit status, and what it had to say about a usage error.

    `reason` is that of `pytest.exit`, where code has called it, `stopped` why the session was to end early.
    `summary` is what plugins wrote at the end, `output` what they left (xdist's `workeroutput`).
    """

    status: int
    message: str = ""
    reason: str | None = None
    stopped: str = ""
    summary: str = ""
    output: dict[str, Any] | None = None


Event: TypeAlias = (
    Hello | Collected | Started | Reported | Repeated | Finished | Warned | Said | Ended
)

_EVENTS: dict[str, type[Event]] = {event.__name__: event for event in get_args(Event)}


_FIELDS: dict[type[Event], dict[str, str]] = {
    event: {field.name: str(field.type) for field in dataclasses.fields(event)}
    for event in _EVENTS.values()
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """The host's answer to frame `number`.

    `go` is False to stop before the next test; `max_failures` is how many failures this run may have
    in all (None: no limit). Not how many are left: the answer may be older than the last failure.
    """

    number: int
    go: bool = True
    max_failures: int | None = None


_ENCODER = json.JSONEncoder(default=repr)


def encode(event: Event) -> str:
    """`event` as one line of JSON; `decode` gives an equal event back, and `head` is its begin."""
    return _ENCODER.encode({"event": type(event).__name__, **vars(event)})


def head(kind: type[Event]) -> str:
    """How an encoded event of this kind begins."""
    return f'{{"event": "{kind.__name__}"'


def decode(text: str) -> Event:
    """The event that `text` stands for. ProtocolError if it is not exactly one."""
    data = _loads(text)
    if not isinstance(data, dict):
        raise ProtocolError(f"an event is an object, not {type(data).__name__}")
    event = _EVENTS.get(str(data.pop("event", None)))
    if event is None:
        raise ProtocolError("unknown event")
    fields = _FIELDS[event]
    # JSON says with a backslash what `clean` takes away, but for these.
    if "\\" in text or "\x7f" in text or not text.isascii():
        data = _clean(data)
    try:
        values = {name: _checked(fields[name], value) for name, value in data.items()}
        decoded = event(**values)
    except (KeyError, TypeError, ValueError) as exc:
        raise ProtocolError(f"damaged {event.__name__} event: {exc}") from exc
    return Reported(_restore_report(decoded.report)) if isinstance(decoded, Reported) else decoded


def encode_answer(answer: Answer) -> str:
    """`answer` as JSON; `decode_answer` gives an equal one back."""
    return originals.dumps(dataclasses.asdict(answer))


def decode_answer(text: str) -> Answer:
    """The answer that `text` stands for. ProtocolError if it is none."""
    data = _loads(text)
    try:
        answer = Answer(**data)
        values = dataclasses.asdict(answer)
        for field in dataclasses.fields(Answer):
            _checked(str(field.type), values[field.name])
    except TypeError as exc:
        raise ProtocolError(f"not an answer: {text[:200]!r}") from exc
    return answer


def _refuse(constant: str) -> None:
    raise ProtocolError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _loads(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as exc:
        raise ProtocolError(f"not JSON: {exc}") from exc


# Escape sequences as a whole, then what is left of control characters but tab and line ends, and
# the marks that let a terminal write a line in another order than it is read.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|[\ud800-\udfff]"
)


def clean(text: str) -> str:
    """`text` without escape sequences, control characters and lone surrogates.

    A carriage return becomes a line end, but what a terminal would have overwritten wholly goes away:
    of a progress bar its last state is left.
    """
    if _CONTROL.search(text):
        text = _CONTROL.sub(_visible, text)
    return "\n".join(map(_overwritten, text.split("\n"))) if "\r" in text else text


def _overwritten(line: str) -> str:
    states = [state for state in line.split("\r") if state]
    seen = [state for state, behind in pairwise(states) if len(behind) < len(state)]
    return "\n".join(seen + states[-1:])


def _visible(match: re.Match[str]) -> str:
    char = match[0]
    return "\N{REPLACEMENT CHARACTER}" if "\ud800" <= char <= "\udfff" else ""


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean(item) for key, item in value.items()}
    return value


_SHAPES: dict[str, Any] = {"str": str, "int": int, "bool": bool, "dict[str, Any]": dict}


def _checked(declared: str, value: Any) -> Any:
    """`value` if it has the type that a field declares, lists made tuples. TypeError otherwise."""
    if declared.endswith("| None"):
        return None if value is None else _checked(declared.removesuffix("| None").strip(), value)
    if declared.startswith("tuple["):
        inner = declared[len("tuple[") : -1]
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{declared} expected")
        if inner.endswith(", ..."):
            return tuple(_checked(inner.removesuffix(", ..."), item) for item in value)
        shapes = inner.split(", ")
        return tuple(_checked(shape, item) for shape, item in zip(shapes, value, strict=True))
    shape = _SHAPES[declared]
    if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise TypeError(f"{declared} expected, not {type(value).__name__}")
    return value


def _restore_report(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with the tuples that JSON made lists: location, sections, a skip's longrepr."""
    restored = dict(data)
    for name in ("location", "longrepr"):
        if isinstance(restored.get(name), list):
            restored[name] = tuple(restored[name])
    for name in ("sections", "user_properties"):
        if isinstance(restored.get(name), list):
            restored[name] = [
                tuple(pair) if isinstance(pair, list) else pair for pair in restored[name]
            ]
    return restored
