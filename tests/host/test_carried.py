"""Which values are sent as they are, and how the others look."""

from __future__ import annotations

import datetime as dt
import enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import carried


class Word(enum.StrEnum):
    """A word that is more than a word."""

    ON = "on"


class Box:
    """An object that pytest knows nothing of."""

    def __init__(self, value):
        self.value = value


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_what_json_gives_back_is_plain(value):
    """Values of JSON's own types are sent as they are."""
    assert carried.is_plain(value)


@pytest.mark.parametrize("value", [Word.ON, (1, 2), {1: "key"}, {1}, Path("a"), dt.date.min, b"x"])
def test_what_json_would_change_is_not(value):
    """A value that would come back as another is not sent, nor in a list."""
    assert not carried.is_plain(value)
    assert not carried.is_plain([value])


@pytest.mark.parametrize(
    ("one", "other"),
    [({1, 2}, {2, 1}), (Box({"a": (1,)}), Box({"a": (1,)})), ([Word.ON], [Word.ON]), (len, len)],
)
def test_equal_values_look_alike(one, other):
    """Order in a set, and identity, make no difference."""
    assert carried.look(one) == carried.look(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Word.ON, "on"),
        ((1,), [1]),
        (Box(1), Box(2)),
        (Path("a"), Path("b")),
        ({1}, {2}),
        ({1}, [1]),
    ],
)
def test_different_values_look_different(one, other):
    """A value of another type, or with other parts, looks different."""
    assert carried.look(one) != carried.look(other)
