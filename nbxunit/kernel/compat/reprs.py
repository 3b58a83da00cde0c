"""Private names of pytest about the reprs of values, under the rules of `compat`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from unittest import mock


@contextlib.contextmanager
def worded(words: Callable[[object], str | None]) -> Iterator[None]:
    """Within, asserts say `words` of a value, where there are some, in place of its repr.

    pytest's hook is for comparisons, and knows no value of a call, an attribute, or inside a list.
    """
    from _pytest._io.saferepr import SafeRepr

    whole, inner = SafeRepr.repr, SafeRepr.repr_instance

    def repr_whole(self: SafeRepr, value: object) -> str:
        return words(value) or whole(self, value)

    def repr_inner(self: SafeRepr, value: object, level: int) -> str:
        return words(value) or inner(self, value, level)

    with (
        mock.patch.object(SafeRepr, "repr", repr_whole),
        mock.patch.object(SafeRepr, "repr_instance", repr_inner),
    ):
        yield
