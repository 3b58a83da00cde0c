"""Whether a cell shows what its notebook holds, and where not.

Imports the standard library.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from nbxunit.host.comparing import images
from nbxunit.host.comparing.normalise import Shown, normalised
from nbxunit.host.comparing.sanitise import Rule


@dataclasses.dataclass(frozen=True)
class Difference:
    """What differs in a cell's outputs: `reasons` in words, pairs of `images` (base64) that differ."""

    reasons: tuple[str, ...]
    images: tuple[tuple[str, str, str], ...] = ()
    """Type, stored and new."""


def compare(
    stored: Iterable[Mapping[str, Any]],
    new: Iterable[Mapping[str, Any]],
    rules: Sequence[Rule] = (),
) -> Difference | None:
    """What differs between stored and new outputs; None if a person would see the same."""
    reasons: list[str] = []
    pairs: list[tuple[str, str, str]] = []
    for one, two in zip_longest(normalised(stored, rules), normalised(new, rules)):
        for reason, pair in _differences(one, two):
            reasons.append(reason)
            pairs += [pair] if pair else []
    return Difference(tuple(reasons), tuple(pairs)) if reasons else None


def _differences(
    one: Shown | None, two: Shown | None
) -> Iterator[tuple[str, tuple[str, str, str] | None]]:
    if one is None or two is None:
        left = one or two
        assert left is not None
        yield f"{_name(left)} is {'stored, and did not come' if two is None else 'new'}", None
        return
    if one.kind != two.kind and "error" in (one.kind, two.kind):
        yield f"{_name(one)} is stored, {_name(two)} came", None
        return
    for form in sorted({*one.data, *two.data}):
        before, now = one.data.get(form), two.data.get(form)
        if before is None or now is None:
            yield f"{form} is {'stored, and did not come' if now is None else 'new'}", None
        elif form.startswith("image/") and form != "image/svg+xml":
            if before != now:
                yield from _image_differences(form, before, now)
        elif before != now:
            yield f"{form if one.kind != 'error' else f'the {form} of the error'} differs", None


def _image_differences(
    form: str, before: str, now: str
) -> Iterator[tuple[str, tuple[str, str, str] | None]]:
    try:
        found = images.difference(before, now)
    except (images.ImagesNeedPillow, ValueError) as exc:
        found = str(exc)
    if found is not None:
        yield f"{form} differs: {found}", (form, before, now)


def _name(shown: Shown) -> str:
    if shown.kind == "error":
        return f"the error {shown.data['name']}"
    return ", ".join(shown.data) or shown.kind
