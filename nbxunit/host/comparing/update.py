"""New outputs in the notebook's file: only those of the cells that differ, and all else byte for byte.

The text of the file is cut where these outputs stand, and is not written anew as a whole: indentation, order of
keys, ids and the end of the file are the owner's.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def updated(text: str, outputs: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """The text of a notebook with these `outputs` in place of those of the cells at these indexes."""
    indent = _indent(text)
    is_ascii = text.isascii()
    parts, at = [], 0
    for index, (start, end) in sorted(_spans(text).items()):
        if index not in outputs:
            continue
        parts += [text[at:start], _encoded(outputs[index], indent, _level(text, start, indent), is_ascii)]  # fmt: skip
        at = end
    return "".join([*parts, text[at:]])


def _spans(text: str) -> dict[int, tuple[int, int]]:
    """Where the outputs of each cell begin and end in the text, by the cell's index."""
    spans: dict[int, tuple[int, int]] = {}
    path: list[list[Any]] = []  # of each open object or list: its key or index now
    begins: list[tuple[tuple[Any, ...], int]] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign in "{[":
            begins.append((tuple(each[0] for each in path), match.start()))
            path.append([None if sign == "{" else 0])
            expects_key = sign == "{"
        elif sign in "}]":
            path.pop()
            where, start = begins.pop()
            if len(where) == 3 and where[0] == "cells" and where[2] == "outputs":  # noqa: PLR2004
                spans[where[1]] = start, match.end()
        elif sign == ",":
            if isinstance(path[-1][0], int):
                path[-1][0] += 1
            else:
                expects_key = True
        elif sign == ":":
            expects_key = False
        elif expects_key:
            path[-1][0] = json.loads(sign)
    return spans


def _indent(text: str) -> str:
    """What a level is indented by in the text; nothing where it is one line."""
    match = re.search(r"\{\r?\n([ \t]+)\"", text)
    return match[1] if match else ""


def _level(text: str, position: int, indent: str) -> int:
    """How many levels deep the line is that `position` stands in."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    spaces = line[: len(line) - len(line.lstrip())]
    return len(spaces) // len(indent) if indent else 0


def _encoded(
    outputs: Sequence[Mapping[str, Any]],
    indent: str,
    level: int,
    is_ascii: bool,  # noqa: FBT001
) -> str:
    separators = (",", ": ") if indent else (", ", ": ")
    text = json.dumps(
        list(_split(outputs)), indent=indent or None, separators=separators, sort_keys=True,
        ensure_ascii=is_ascii,
    )  # fmt: skip
    return text.replace("\n", f"\n{indent * level}")


def _split(outputs: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The outputs with texts as lists of lines, as Jupyter writes them."""
    for each in outputs:
        output = copy.deepcopy(dict(each))
        if "text" in output:
            output["text"] = _lines(output["text"])
        for mime, value in output.get("data", {}).items():
            is_text = isinstance(value, str) and not _is_binary(mime)
            output["data"][mime] = _lines(value) if is_text else value
        yield output


def _is_binary(mime: str) -> bool:
    return mime.startswith("image/") and mime != "image/svg+xml"


def _lines(text: Any) -> Any:
    return text.splitlines(keepends=True) if isinstance(text, str) else text
