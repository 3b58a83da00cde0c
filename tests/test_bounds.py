"""Texts and reports, cut: never more than there is room for, and structure stays."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import limits

texts = st.builds(
    lambda text, times: text * times,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from([1, 10, 1000]),
)
reports = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(texts, st.integers(0, 10_000))
def test_shortened_text_is_within_its_limit(text, limit):
    """A text that is cut has no more bytes than it may, but for its mark, and is not cut again."""
    short = limits.shortened(text, limit)
    assert limits.weight(short) <= max(limit, 4 * 60)
    if limit >= 4 * 60:
        assert limits.shortened(short, limit) == short


@pytest.mark.parametrize(("char", "width"), [("x", 1), ("é", 1), ("я", 2), ("\U0001f600", 4)])
def test_width_is_what_a_character_takes(char, width):
    """The weight of a text is its size in memory."""
    text = char * 100_000
    assert limits.width(text) == width
    assert limits.weight(text) == pytest.approx(sys.getsizeof(text), rel=0.01)


@given(st.lists(reports, max_size=5), st.integers(0, 50_000))
def test_room_is_kept(values, limit):
    """The host, which has as much room as a kernel, leaves the kernel's reports as they are."""
    kernel, host = limits.Room(limit, late=1000), limits.Room(limit, late=1000)
    for value in values:
        cut = kernel.bounded(value)
        assert has_kept(cut, value)
        assert host.bounded(cut) == cut


def has_kept(cut, value):
    """Whether all but long texts is as it was."""
    if isinstance(value, dict):
        return cut.keys() == value.keys() and all(has_kept(cut[key], value[key]) for key in value)
    if isinstance(value, list):
        return len(cut) == len(value) and all(map(has_kept, cut, value))
    is_text = isinstance(value, str) and len(value) > limits.SHORT
    return isinstance(cut, str) if is_text else cut == value


@pytest.mark.parametrize(
    "line",
    ["line {}".format, lambda number: (f"name {number}", number), lambda number: [f"{number}", ""]],
    ids=["lines", "properties", "arguments"],
)
def test_what_is_many_is_left_out(line):
    """Of very many lines or properties the first and the last stay, around a mark of their kind."""
    lines = list(map(line, range(300_000)))
    cut = limits.Room().bounded(lines)
    assert (cut[0], cut[-1]) == (lines[0], lines[-1])
    assert limits.weight_of(cut) <= limits.REPORT_LIMIT // limits.SHARE
    (mark,) = [each for each in cut if "left out by nbxunit" in str(each)]
    assert type(mark) is type(lines[0])


def test_keywords_are_left_out():
    """A mapping of very many names keeps some, and stays one."""
    cut = limits.Room().bounded({f"name {number}": 1 for number in range(300_000)})
    assert cut["name 0"] == cut["name 299999"] == 1
    assert limits.weight_of(cut) <= limits.REPORT_LIMIT // limits.SHARE
