"""What is wrong with a cell that has been executed, and its report: place, source, message, output.

Imports the standard library and what both sides share.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbxunit import protocol
from nbxunit.host.notebooks import files
from nbxunit.host.records import Broken, Sections, Skipped

if TYPE_CHECKING:
    from nbformat import NotebookNode

RAISES_TAG = "raises-exception"
_FRAME = re.compile(r"(?:Cell |File ).*line \d|File .*:\d+|-+> ?\d")
"""The lines of IPython's traceback that say where it came by."""
_CODE_NAME = re.compile(r" \((?:\d+\.py|<(?:ipython-input[^>]*|unknown)>), line \d+\)$")
"""What a SyntaxError says at its end of the file in which IPython keeps a cell's code."""
_PLACE = re.compile(r"Cell In\[(\d+)\], line (\d+)")


@dataclasses.dataclass(frozen=True)
class Place:
    """A cell that runs `since` a time, with its number, as in `In[number]`."""

    cell: NotebookNode
    number: int
    since: float


@dataclasses.dataclass(frozen=True)
class Names:
    """How reports name places in a notebook; one that is text has `first_lines`, where its cells begin.

    `style` is pytest's `--tb`: how much of a traceback is shown.
    """

    notebook: str
    first_lines: Sequence[int] = ()
    style: str = "auto"

    def file(self, place: Place) -> str:
        """The file of a cell's code: `notebook.ipynb cell 3`, or `intro.md`."""
        if not place.number:
            return f"{self.notebook} injected parameters"
        return self.notebook if self.first_lines else f"{self.notebook} cell {place.number}"

    def line(self, place: Place, line: int) -> int:
        """The line of that file for a line of the cell."""
        return line + (self.first_lines[place.number - 1] - 1 if self.first_lines else 0)

    def of(self, place: Place, line: int | None) -> str:
        """The place in words: `notebook.ipynb cell 3, line 2`, or `intro.md:42`."""
        if self.first_lines and place.number:
            return f"{self.notebook}:{self.line(place, line or 1)}"
        return self.file(place) + (f", line {line}" if line else "")


def wrong(
    names: Names,
    place: Place,
    reply: Mapping[str, Any],
    shown: Callable[[str], None] | None,
    *,
    has_raised: bool,
) -> Broken | Skipped | None:
    """What is wrong with a cell that has been executed, if anything is.

    `shown` is told of exceptions that it only shows; without it they are errors. `has_raised` if the kernel
    has told of an exception, be it in the output of a widget.
    """
    cell = place.cell
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if any(each.get("source") == "ask_exit" for each in reply.get("payload") or ()):
        return broken(
            names, place, "the cell ends the kernel by exit() or quit, so nothing below it runs"
        )
    is_error = reply.get("status") == "error"
    raised = errors or is_error
    if RAISES_TAG in files.tags(cell):
        text = f"the tag {RAISES_TAG} promises an exception, and none came"
        return None if raised or has_raised else broken(names, place, text)
    if protocol.SKIP in reply:
        line = _line(place, _traceback(cell, reply), reply)
        return Skipped(
            protocol.clean(str(reply[protocol.SKIP])), names.file(place), names.line(place, line)
        )
    if errors and not is_error and shown is not None:
        errors_shown = ", ".join(dict.fromkeys(protocol.clean(each.ename) for each in errors))
        shown(
            f"cell {place.number} shows {errors_shown} and does not raise it, so it is no error "
            "(--strict-cells makes it one)"
        )
        return None
    if raised:  # the reply's message has the values of an assert, which the output has not
        # One to a result that cannot be shown knows of no exception.
        is_told = is_error and reply.get("ename") != type(None).__name__
        told: Mapping[str, Any] = reply if is_told or not errors else errors[-1]
        return _raised(names, place, (told.get("ename", ""), told.get("evalue", "")), reply)
    return None


def _raised(names: Names, place: Place, error: tuple[str, str], reply: Mapping[str, Any]) -> Broken:
    """The report of a cell that raised: source with the line marked, message, traceback."""
    cell = place.cell
    traceback = _traceback(cell, reply)
    line = _line(place, traceback, reply)
    said = protocol.clean(error[1])
    if error[0] in ("SyntaxError", "IndentationError", "TabError"):
        said = _CODE_NAME.sub("", said)
    message = f"{error[0]}: {said}".splitlines()
    text = "\n".join([message[0], *_shown(names.style, cell.source, line, message, traceback)])
    return broken(names, place, text.rstrip(), line)


def _shown(
    style: str, source: str, line: int, message: Sequence[str], traceback: str
) -> Iterator[str]:
    """What stands below the first line of the report of a cell that raised."""
    if style in ("line", "no"):
        return
    yield ""
    if style == "native":
        yield traceback
        return
    yield from _source_around(source, line, 1 if style == "short" else 6)
    yield from (f"E   {each}" for each in message)
    yield ""
    if style == "short":
        yield from (each for each in traceback.splitlines() if _FRAME.match(each))
    else:
        yield traceback


def broken(
    names: Names, place: Place, text: str, line: int | None = None, sections: Sections = ()
) -> Broken:
    """The report of a cell, with what it had printed, and other `sections`."""
    cell = place.cell
    printed_sections = []
    for stream in ("stdout", "stderr"):
        printed = "".join(
            output.text
            for output in cell.get("outputs", ())
            if output.output_type == "stream" and output.name == stream
        )
        if printed.strip():
            printed_sections.append((f"Captured {stream}", protocol.clean(printed)))
    return Broken(text, names.of(place, line), (*printed_sections, *sections))


def _line(place: Place, traceback: str, reply: Mapping[str, Any]) -> int:
    """The line of the cell where it raised, as the kernel says, or the traceback; else the first."""
    if isinstance(told := reply.get(protocol.LINE), int):
        return told
    matches = [match for match in _PLACE.finditer(traceback) if int(match[1]) == place.number]
    return int(matches[-1][2]) if matches else 1


def _traceback(cell: NotebookNode, reply: Mapping[str, Any]) -> str:
    lines = [
        line
        for output in cell.outputs
        if output.output_type == "error"
        for line in output.traceback
    ]
    return protocol.clean("\n".join(lines or reply.get("traceback") or ()))


def _source_around(source: str, line: int, count: int) -> list[str]:
    """So many lines up to `line`, which is marked."""
    lines = source.splitlines()
    first = max(0, line - count)
    return [
        f"{'>' if number == line else ' '}   {text}"
        for number, text in enumerate(lines[first:line], first + 1)
    ]
