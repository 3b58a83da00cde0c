"""What kernel and host say: decoding is the inverse of encoding, and takes nothing else."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import frames, protocol
from nbxunit.protocol import ProtocolError

# What `clean` takes away cannot come back, so events are made of what it keeps.
bidi = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=bidi)
    | st.sampled_from("\t\n"),
    max_size=20,
)
numbers = st.integers(-(2**53), 2**53)
locations = st.tuples(texts, st.none() | numbers, texts)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
reports = st.fixed_dictionaries(
    {
        "location": locations,
        "sections": st.lists(st.tuples(texts, texts), max_size=2),
        "user_properties": st.lists(st.tuples(texts, numbers), max_size=2),
        "longrepr": st.none() | texts | st.tuples(texts, numbers, texts),
    }
)
id_lists = st.lists(texts, max_size=3).map(tuple)
events = st.one_of(
    st.builds(protocol.Hello, texts, texts, texts, texts, texts, id_lists),
    st.builds(protocol.Collected, id_lists, id_lists, id_lists),
    st.builds(protocol.Started, texts, locations),
    st.builds(protocol.Reported, reports),
    st.builds(protocol.Repeated, st.lists(st.dictionaries(texts, jsons), max_size=3).map(tuple)),
    st.builds(protocol.Finished, texts, locations),
    st.builds(
        protocol.Warned, texts, texts, texts, numbers, texts, texts,
        st.none() | st.tuples(texts, numbers, texts),
    ),
    st.builds(protocol.Ended, numbers, texts),
)  # fmt: skip


@given(events)
def test_decode_gives_back_what_was_encoded(event):
    """decode(encode(event)) == event, tuples included."""
    assert protocol.decode(protocol.encode(event)) == event
    assert protocol.encode(event).startswith(protocol.head(type(event)))


@given(st.lists(st.integers(1, 3) | events, max_size=8), st.integers(0, 3))
def test_the_last_edge_is_found(lines, taken):
    """The last begin or end of a test in a journal is what reading all of its lines finds."""
    journal = [frames.journal_head(1)]
    journal += [
        frames.journal_head(each) if isinstance(each, int) else protocol.encode(each)
        for each in lines
    ]
    text = "".join(f"{line}\n" for line in journal)
    found = map(protocol.decode, frames.journal_lines(text, taken))
    edges = [each for each in found if isinstance(each, protocol.Started | protocol.Finished)]
    numbers = [1, *(each for each in lines if isinstance(each, int))]
    if numbers == sorted(numbers):  # as they are written
        assert frames.last_edge(text.encode(), taken) == (edges[-1] if edges else None)


@given(st.builds(protocol.Answer, numbers, st.booleans(), st.none() | numbers))
def test_decode_answer_gives_back_what_was_encoded(answer):
    """decode_answer(encode_answer(answer)) == answer."""
    assert protocol.decode_answer(protocol.encode_answer(answer)) == answer


@given(st.lists(st.lists(events, max_size=3), max_size=4), st.integers(1, 50))
def test_frames_come_together_from_parts(sent, size):
    """A reader puts together the frames of a run, whatever the size of their parts."""
    before, frames.PART_SIZE = frames.PART_SIZE, size
    try:
        reader = frames.FrameReader("n0")
        for number, frame in enumerate(sent, 1):
            prompts = frames.encode_frame("n0", number, map(protocol.encode, frame))
            *first, last = [reader.read(prompt) for prompt in prompts]
            assert all(read == (number, None) for read in first)
            assert (last[0], list(last[1])) == (number, frame)
    finally:
        frames.PART_SIZE = before


@given(st.text())
def test_any_text_is_an_event_or_refused(text):
    """Whatever the text, decoding it ends in an event or a ProtocolError."""
    with pytest.raises(ProtocolError):
        protocol.decode(text)


@given(events, jsons, st.data())
def test_a_field_of_another_type_is_refused_or_sound(event, value, data):
    """An event with any value in a field is refused, or is what its class declares."""
    fields = json.loads(protocol.encode(event))
    name = data.draw(st.sampled_from(sorted(set(fields) - {"event"})))
    fields[name] = value
    try:
        decoded = protocol.decode(json.dumps(fields))
    except ProtocolError:
        return
    assert protocol.decode(protocol.encode(decoded)) == decoded


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "Ended", "status": 0, "extra": 1}',
        '{"event": "Ended"}',
        '{"event": "Ended", "status": true}',
        '{"event": "Ended", "status": NaN}',
        '{"event": "Ended", "status": "0"}',
        '{"event": ["Ended"], "status": 0}',
        '{"event": "Collected", "nodeids": "abc"}',
        '{"event": "Started", "nodeid": "a", "location": ["a", 1]}',
        '{"event": "Ended", "status": 0',
        "[" * 100_000,
        "[]",
    ],
)
def test_damaged_events_are_refused(text):
    """Unknown fields, missing ones, wrong types and what is no JSON are a ProtocolError."""
    with pytest.raises(ProtocolError):
        protocol.decode(text)


@pytest.mark.parametrize(
    "prompts",
    [
        ["other 1 1/1 "],
        ["n0 2 1/1 "],
        ["n0 1 2/2 "],
        ["n0 1 1/2 ", "n0 1 1/2 "],
        ["n0 1 1/1 ", "n0 1 1/1 "],
        ["n0 1 1/999999 "],
        ["n0 x 1/1 "],
        ["n0 1 1/1"],
        ["what is your name? "],
    ],
)
def test_forged_frames_are_refused(prompts):
    """A frame of another run, out of order or too large is a ProtocolError."""
    reader = frames.FrameReader("n0")
    *first, last = [frames.PROMPT + prompt for prompt in prompts]
    for prompt in first:
        reader.read(prompt)
    with pytest.raises(ProtocolError):
        reader.read(last)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"number": "1"}', '{"number": 1, "x": 2}', "1"])
def test_damaged_answers_are_refused(text):
    """What is no answer is a ProtocolError."""
    with pytest.raises(ProtocolError):
        protocol.decode_answer(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("a\x00b\x08c", "abc"),
        ("half \ud800 a pair", "half \N{REPLACEMENT CHARACTER} a pair"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        (" 9 %\r50 %\r100 %\nbehind", "100 %\nbehind"),
        ("the whole\rpart\r", "the whole\npart"),
        (f"a{bidi}b", "ab"),
    ],
)
def test_control_characters_are_taken_out(text, shown):
    """Texts reach the host without escape sequences, control characters and lone surrogates."""
    assert protocol.clean(text) == shown
    decoded = protocol.decode(json.dumps({"event": "Ended", "status": 0, "message": text}))
    assert decoded == protocol.Ended(0, shown)


def test_events_are_frozen():
    """An event cannot be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.Ended(0).status = 1  # type: ignore[misc]


def test_which_cell_runs_overwrites_itself():
    """What says which cell runs replaces what was said before, and nothing else passes for it."""
    for request, position, since in [("a_1_10", 12345, 1.5), ("a_1_9", 0, 123456.789)]:
        told = frames.encode_current(request, position, since)
        assert len(told) == 200
        assert frames.decode_current(told) == (request, position, since)
    for text in (b"", b"a 1", b"a b c", b"a 1 2 3", b"\xff 1 2"):
        with pytest.raises(protocol.ProtocolError):
            frames.decode_current(text)
