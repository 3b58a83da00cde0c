"""The private name that gives asserts other words for a value."""

from __future__ import annotations

from _pytest._io.saferepr import saferepr

from nbxunit.kernel.compat import reprs


class Large:
    """What has words."""


def test_words_for_values():
    """Within, pytest's reprs have the words, also inside a list, and behind it the repr again."""
    with reprs.worded(lambda value: "<large>" if isinstance(value, Large) else None):
        assert saferepr(Large()) == "<large>"
        assert saferepr([Large(), 1]) == "[<large>, 1]"
    assert "<large>" not in saferepr(Large())
