"""How events travel: in frames, that the host acknowledges, and in the files of a kernel that dies.

Shared by both, so it imports the standard library and the protocol only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nbxunit.protocol import (
    REPEATABLE,
    VERSION,
    Collected,
    Ended,
    Event,
    Finished,
    Hello,
    ProtocolError,
    Repeated,
    Reported,
    Started,
    decode,
    head,
)  # fmt: skip

PHASES = ("setup", "call", "teardown")
PROMPT = "\x02nbxunit\x03"
"""How the prompt of an input request begins that carries events and is no question to a person."""
PART_SIZE = 1_000_000
"""Characters of a frame in one input request; a longer one is sent in parts."""
LIMIT = 128_000_000
"""Characters of a frame that the host takes at the most."""


def encode_frame(nonce: str, number: int, lines: Iterable[str]) -> list[str]:
    """The prompts that carry the encoded events `lines` as frame `number`: one, or its parts."""
    text = "\n".join(lines)
    parts = [text[at : at + PART_SIZE] for at in range(0, len(text), PART_SIZE)] or [""]
    return [
        f"{PROMPT}{nonce} {number} {index + 1}/{len(parts)} {part}"
        for index, part in enumerate(parts)
    ]


class FrameReader:
    """Puts the prompts of one run together to frames, and checks their order.

    `number` is that of the last frame that was complete.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self.number = 0
        self._parts: list[str] = []

    def read(self, prompt: str) -> tuple[int, Iterator[Event] | None]:
        """The number of the frame that `prompt` belongs to, and its events if it is complete now.

        They are decoded when they are taken, for which the kernel need not wait.
        """
        head, _, part = prompt.removeprefix(PROMPT).partition(" ")
        match = re.fullmatch(r"(\d{1,9}) (\d{1,6})/(\d{1,6}) (.*)", part, re.DOTALL)
        if match is None or head != self._nonce:
            raise ProtocolError("a frame of another run, or none")
        number, index, count = (int(match[group]) for group in (1, 2, 3))
        is_next = number == self.number + 1 and index == len(self._parts) + 1 <= count
        if not is_next or count * PART_SIZE > LIMIT or len(match[4]) > PART_SIZE:
            raise ProtocolError(f"frame {number} part {index}/{count} is out of order or too large")
        self._parts.append(match[4])
        if index < count:
            return number, None
        text, self._parts, self.number = "".join(self._parts), [], number
        return number, decode_lines(text)


class Order:
    """Checks that the events of one run come in an order in which a run can tell them."""

    def __init__(self) -> None:
        self._began = self._ended = False
        self._tests: frozenset[str] | None = None
        self._running: str | None = None
        self._can_repeat = False

    def check(self, event: Event) -> None:
        """ProtocolError if `event` cannot come now, or comes from another version."""
        if self._ended or isinstance(event, Hello) is self._began or not self._can_come(event):
            raise ProtocolError(f"{type(event).__name__} event out of order")

    def _can_come(self, event: Event) -> bool:
        match event:
            case Hello(version):
                self._began = True
                if version.partition(".")[0] != VERSION.partition(".")[0]:
                    raise ProtocolError(f"version {version} of the protocol, and not {VERSION}")
            case Collected(nodeids):
                known, self._tests = self._tests, frozenset(nodeids)
                return known is None
            case Repeated():
                return self._can_repeat and all(map(_can_repeat, event.changes))
            case Started(nodeid):
                self._can_repeat = False
                before, self._running = self._running, nodeid
                return before is None and nodeid in (self._tests or ())
            case Finished(nodeid):
                self._can_repeat = False
                before, self._running = self._running, None
                return before == nodeid
            case Reported(report) if report.get("when") in PHASES:
                self._can_repeat = self._running is not None
                return self._can_repeat and report.get("nodeid") == self._running
            case Ended():
                self._ended = True
        return not isinstance(event, Reported) or self._tests is None


def _can_repeat(changes: Mapping[str, Any]) -> bool:
    return changes.keys() <= REPEATABLE and changes.get("when", PHASES[0]) in PHASES


def journal_head(number: int) -> str:
    """The line of a journal above the events that frame `number` is to carry."""
    return f"frame {number}"


def journal_lines(text: str, taken: int) -> Iterator[str]:
    """The encoded events of a journal that no frame up to the number `taken` has carried."""
    number = taken
    for line in text.splitlines():
        if match := re.fullmatch(r"frame (\d{1,9})", line):
            number = int(match[1])
        elif line and number > taken:
            yield line


def last_edge(journal: bytes, taken: int) -> Started | Finished | None:
    """The last begin or end of a test in a journal, if no frame up to the number `taken` has carried it.

    It does not look at what is between, which may be megabytes. ProtocolError if it is damaged.
    """
    at = max(journal.rfind(f"\n{head(kind)}".encode()) for kind in (Started, Finished))
    above = journal.rfind(b"\nframe ", 0, max(at, 0)) + 1
    number = re.match(rb"frame (\d{1,9})\n", journal[above : above + 20])
    if at < 0 or number is None or int(number[1]) <= taken:
        return None
    event = decode(journal[at + 1 :].split(b"\n", 1)[0].decode("utf-8", "replace"))
    assert isinstance(event, Started | Finished)
    return event


def decode_lines(text: str) -> Iterator[Event]:
    """The events of `text`, one a line."""
    return (decode(line) for line in text.split("\n") if line)


def encode_current(request: str, position: int, since: float) -> bytes:
    """What says that a request's cell runs `since` (monotonic seconds); never shorter than before."""
    return f"{request} {position} {since!r}".ljust(200).encode()


def decode_current(text: bytes) -> tuple[str, int, float]:
    """The request, the cell's position in it, and since when it runs. ProtocolError."""
    try:
        request, position, since = text.decode().split()
        return request, int(position), float(since)
    except ValueError as exc:
        raise ProtocolError(f"{text[:200]!r} does not say which cell runs") from exc
