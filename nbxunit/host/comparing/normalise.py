"""Outputs in the form in which they are compared: what a person sees, and nothing else.

Imports the standard library. Streams are joined; counts, ids and metadata are left out, and so are widgets, scripts
and warnings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nbxunit.host.comparing.sanitise import DEFAULTS, HTML, STDERR, SVG, Rule, sanitised

_LIVE = ("application/javascript", "application/vnd.jupyter.widget", "application/vnd.bokeh", "application/vnd.holoviews")  # fmt: skip  # noqa: E501
"""How the types of what runs in the front end begin; an output that has one is not compared."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """One output: `kind` says what it is, `data` its forms by MIME type, an error's `name` and `text`."""

    kind: str
    data: Mapping[str, Any]


def normalised(outputs: Iterable[Mapping[str, Any]], rules: Sequence[Rule] = ()) -> list[Shown]:
    """The outputs of a cell as they are compared: the streams first, each as one text."""
    every = (*rules, *DEFAULTS)
    streams: dict[str, str] = {}
    shown = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + _text(output["text"])
        elif kind == "error":
            data = {"name": str(output["ename"]), "text": sanitised(_text(output["evalue"]), every)}
            shown.append(Shown("error", data))
        elif not is_own(output) and not any(m.startswith(_LIVE) for m in output.get("data", ())):
            data = {
                mime: _form(mime, value, every)
                for mime, value in output.get("data", {}).items()
                if not _is_repeated(mime, output["data"])
            }
            shown.append(Shown(kind, data))
    if "stderr" in streams:
        streams["stderr"] = sanitised(streams["stderr"], STDERR)
        if not streams["stderr"]:
            del streams["stderr"]
    texts = [
        Shown("stream", {name: sanitised(text, every)}) for name, text in sorted(streams.items())
    ]
    return [*texts, *shown]


def _form(mime: str, value: Any, rules: Sequence[Rule]) -> Any:
    if mime.startswith("image/") and mime != "image/svg+xml":
        return "".join(_text(value).split())
    if mime.endswith("json") or not isinstance(value, (str, list)):
        return value
    more = {"image/svg+xml": SVG, "text/html": HTML}.get(mime, ())
    return sanitised(_text(value), (*rules, *more))


def is_own(output: Mapping[str, Any]) -> bool:
    """Whether nbxunit showed it inline, below any cell: "test_a: registered". Headless it does not."""
    return '<div class="nbx ' in _text(output.get("data", {}).get("text/html", ""))


def _is_repeated(mime: str, data: Mapping[str, Any]) -> bool:
    """Whether a form says what the text says: a frame's table, whose markup depends on the library."""
    return mime == "text/html" and "text/plain" in data and "<table" in _text(data[mime])


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
