"""What went wrong in a phase of a test: where, what, and how it came there, made of its report.

Imports the standard library, and what a cell is. Reports come in the form of `reports`, with cells
in place of files.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nbxunit.directives import lines_of
from nbxunit.kernel.cells.differing import Difference
from nbxunit.kernel.cells.registry import Cell
from nbxunit.protocol import clean

TEXT_LINES = 60
"""Lines that are shown of an error that pytest has no marked lines for."""
LINES_BEFORE = 2
"""Lines of a cell that are shown above the one that failed."""
STATEMENT_LINES = 10
"""Lines that are shown of a statement that goes over several."""
CALLS = 3
"""Calls in cells that are shown on the way to what failed: the first, and the last ones."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A line of a cell; the statement there goes on for `more` lines. Line 0 is none of its lines."""

    cell: Cell
    line: int
    more: int = 0

    def excerpt(self, before: int = LINES_BEFORE) -> list[tuple[int, str]]:
        """The statement, behind the lines above it, with their numbers."""
        lines = lines_of(self.cell.source)
        if not 0 < self.line <= len(lines):
            return []
        numbers = range(max(1, self.line - before), min(self.line + self.more, len(lines)) + 1)
        return [(number, lines[number - 1]) for number in numbers]


@dataclasses.dataclass(frozen=True)
class Problem:
    """What went wrong in one phase. `where` is in words, and `place` where that is in a cell."""

    when: str
    where: str
    message: str
    source: tuple[str, ...]
    """The statements that failed and the explanation, as pytest marks them with > and E."""
    full: str
    place: Place | None = None
    calls: tuple[Place, ...] = ()
    """The cells' lines that led there, outermost first."""
    causes: tuple[str, ...] = ()
    """The exceptions before it that it was raised from, or while they were handled; nearest first."""
    subtest: str = ""
    """The subtest that it is about, as unittest and pytest name it: `[message] (n=1)`."""
    variables: tuple[str, ...] = ()
    """The variables where it happened, if `--showlocals` asks for them."""
    difference: Difference | None = None
    """How the data differ that were compared; `source` has it as text."""

    @property
    def kind(self) -> str:
        """What it comes to in a word: `AssertionError`."""
        return headline(self.message)

    @property
    def explanation(self) -> list[str]:
        """What pytest marks with E, without the mark; else all that there is to show."""
        marked = [line[1:] for line in self.source if line[:1] == "E"]
        text = textwrap.dedent("\n".join(marked or self.source or [self.message]))
        if self.difference is not None:
            text = text.partition(self.difference.lines[0])[0].rstrip()
        return text.split("\n")


def problem(data: Mapping[str, Any], cells: Mapping[str, Cell]) -> Problem:
    """The problem that a failed report tells of; `cells` by their labels."""
    longrepr = data.get("longrepr")
    when, own = str(data.get("when", "collect")), _property(data, "cell")
    cell = cells.get(own)
    subtest = _subtest(data)
    if not isinstance(longrepr, dict) or "reprcrash" not in longrepr:
        text = longrepr.get("longrepr", "") if isinstance(longrepr, dict) else str(longrepr or "")
        lines = clean(str(text)).splitlines()
        marked = [line for line in lines if line[:1] in (">", "E")]
        explained = [line[1:].strip() for line in marked if line[:1] == "E"]
        first, *rest = lines or [""]
        message, source = [*explained, first][0], tuple(marked or rest)
        return Problem(when, own, message, source, "\n".join(lines), _place(cell), subtest=subtest)
    crash = longrepr["reprcrash"] or {}
    entries = longrepr["reprtraceback"]["reprentries"]
    *calls, (where, place) = [(own, _place(cell)), *_places(crash, entries, cells)]
    shown = [call for _, call in calls[1:] if call is not None]
    return Problem(
        when, where, str(crash.get("message", "")), tuple(_source(entries)),
        "\n".join(_full_lines(longrepr)), place, (*shown[:1], *shown[1:][1 - CALLS :]),
        tuple(_causes(longrepr)), subtest, tuple(_variables(entries)), _difference(data),
    )  # fmt: skip


def _difference(data: Mapping[str, Any]) -> Difference | None:
    told = data.get("nbxunit_difference")
    return Difference(tuple(told["lines"]), tuple(map(tuple, told["table"]))) if told else None


def _property(data: Mapping[str, Any], name: str) -> str:
    return str(dict(data.get("user_properties") or ()).get(name, ""))


def _subtest(data: Mapping[str, Any]) -> str:
    context = data.get("_subtest.context")
    if context is None:  # pytest before 9 knows none, and unittest_rules names it in a section
        return str(dict(data.get("sections") or ()).get("subtest", ""))
    message, values = context.get("msg"), context.get("kwargs") or {}
    told = [f"[{message}]"] if message is not None else []
    told += (
        [f"({', '.join(f'{name}={value}' for name, value in values.items())})"] if values else []
    )
    return " ".join(told)


def _lines(data: Mapping[str, Any]) -> list[str]:
    """The lines of one call in a traceback."""
    texts = [str(text).rstrip("\n") for text in data.get("lines") or ()]
    return [line for text in texts for line in text.split("\n") if line.strip()]


def _source(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """The lines that pytest marks, with the rest of their statements; else the first lines."""
    calls = [_told_of(entry["data"]) for entry in entries]
    explained = [[line for line in lines if line[:1] == "E"] for lines in calls]
    marked = [
        line
        for lines, told in zip(calls, explained, strict=True)
        for line in (*_statement(lines), *told)
    ]
    return marked or _told([line for lines in calls for line in lines])


def _told_of(data: Mapping[str, Any]) -> list[str]:
    """The lines of one call; of an installed library's, what it has raised and not its source."""
    lines, path = _lines(data), str((data.get("reprfileloc") or {}).get("path", ""))
    raised = [line for line in lines if line[:1] == "E"]
    has_source = not any(line.strip("> ") == "???" for line in lines)
    return raised if raised and (_INSTALLED.search(path) or not has_source) else lines


def _statement(lines: list[str]) -> list[str]:
    """The statement that pytest has marked in the lines of one call."""
    start = next((index for index, line in enumerate(lines) if line[:1] == ">"), len(lines))
    end = next((index for index in range(start, len(lines)) if lines[index][:1] == "E"), len(lines))
    # Carets below a line differ from one version of Python and pytest to the next.
    return [line for line in lines[start:end] if line.strip(" ~^")][:STATEMENT_LINES]


def _told(lines: list[str]) -> list[str]:
    """What is shown of a message without a traceback, or of a group of errors: its members.

    What stands above them, and above the first cell, is the way there, which is not the person's.
    """
    marks = ("ExceptionGroup: ", _IN_A_CELL)
    found = [index for mark in marks for index, line in enumerate(lines) if re.search(mark, line)]
    return lines[found[0] if found else 0 :][:TEXT_LINES]


def _places(
    crash: Mapping[str, Any], entries: Iterable[Mapping[str, Any]], cells: Mapping[str, Cell]
) -> Iterator[tuple[str, Place | None]]:
    """The lines of cells on the way to what went wrong, in words and as places, innermost last."""
    calls = [(entry["data"].get("reprfileloc") or {}, entry["data"]) for entry in entries]
    if not any(where.get("path") == crash.get("path") for where, _ in calls):
        calls.append((crash, {}))
    for where, data in calls:
        lines = _lines(data)
        more = max(len(_statement(lines)) - 1, 0)
        path, number = str(where.get("path", "")), int(where.get("lineno", 0))
        found = [(path, number, more)] if _CELL.search(path) else []
        for path, number, more in found or _python_places(lines):
            label = _CELL.search(path)
            yield (
                f"{path}, line {number}",
                _place(cells.get(label[0] if label else ""), number, more),
            )


def _python_places(lines: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """The lines of cells in a traceback as Python writes it, down to where a group was raised."""
    for line in itertools.takewhile(lambda line: "ExceptionGroup: " not in line, lines):
        match = re.search(_IN_A_CELL, line)
        if match:
            yield match[1], int(match[2]), 0


_IN_A_CELL = r'File "([^"]* cell \d+)", line (\d+)'
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_CELL = re.compile(r"cell \d+$")


def _place(cell: Cell | None, line: int = 0, more: int = 0) -> Place | None:
    return Place(cell, line, more) if cell is not None else None


def _variables(entries: list[Mapping[str, Any]]) -> list[str]:
    last = entries[-1]["data"] if entries else {}
    return list((last.get("reprlocals") or {}).get("lines") or ())


def _causes(longrepr: Mapping[str, Any]) -> Iterator[str]:
    for _, crash, description in reversed((longrepr.get("chain") or [])[:-1]):
        said = str((crash or {}).get("message", "")).partition("\n")[0] or "another exception"
        how = "caused by" if "direct cause" in str(description) else "while handling"
        path = str((crash or {}).get("path", ""))
        where = f", {path}, line {crash['lineno']}" if " cell " in path else ""
        yield f"{how} {said}{where}"


def _full_lines(longrepr: Mapping[str, Any]) -> Iterable[str]:
    chain = longrepr.get("chain") or [(longrepr["reprtraceback"], None, None)]
    for traceback, _, description in chain:
        for entry in traceback["reprentries"]:
            data = entry["data"]
            arguments = (data.get("reprfuncargs") or {}).get("args") or ()
            yield from (f"{name} = {value}" for name, value in arguments)
            yield from data.get("lines") or ()
            variables = (data.get("reprlocals") or {}).get("lines") or ()
            yield from ["", *variables] if variables else ()
            place = data.get("reprfileloc")
            if place:
                yield ""
                yield f"{place['path']}, line {place['lineno']}: {place['message']}"
        if description:
            yield description


_EXCEPTION = re.compile(r"([A-Za-z_](?:[\w.]|<locals>)*)(?=:|$)")


def headline(message: str) -> str:
    """What a crash message comes to in a word: the class of the exception, else its first line."""
    if message.startswith("assert "):
        return "AssertionError"
    match = _EXCEPTION.match(message)
    return match[1].rpartition(".")[2] if match else message.partition("\n")[0]
