"""Jobs and records as JSON: what comes back is what was sent, and nothing else comes in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import protocol
from nbxunit.host import records
from nbxunit.host.records import Checking, Job
from nbxunit.host.running import plain

KINDS = [records.Broken, records.Skipped, records.Output, records.Logged, records.Executed, records.Remark,
         records.CellCompared, records.Question, records.Died]  # fmt: skip
ANY = st.one_of(
    *map(st.from_type, KINDS), st.builds(protocol.Finished, st.just("a::b"), st.just(("a", 1, "b")))
)
"""Records; JSON has no infinite numbers."""


@given(ANY.filter(lambda record: "nan" not in repr(record) and "inf" not in repr(record)))
def test_a_record_comes_back(record):
    """What is decoded equals what was encoded."""
    assert plain.decode(plain.encode(record)) == record


def test_a_job_comes_back():
    """So does a job, with its paths, tuples and rules."""
    job = Job(
        Path("/a/b.ipynb"), "python3", ("-p", "x"), {"verbose": 1, "basetemp": None}, save=Path("/out/b.ipynb"),
        cell_timeout=2.5, parameters={"n": [1, 2]}, secrets=("a*",), checking=Checking((("a", "b"),), names=("c",)),
        opened={"log": ("/x", "w")}, worker={"workerid": "gw0"}, resources={"GPU": 1.0},
    )  # fmt: skip
    assert plain.job(plain.of_job(job)) == job


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"record": "Nothing"}', '{"record": "Broken"}', '{"record": "Broken", "text": 3}',
     '{"record": "Broken", "text": "x", "more": 1}', '{"record": "Broken", "text": "x", "sections": [["a"]]}',
     '{"record": ["Broken"]}', '{"record": "Job", "path": "x"}', '{"event": "Nothing"}'],
)  # fmt: skip
def test_no_record(text):
    """What is no record is refused."""
    with pytest.raises(protocol.ProtocolError):
        plain.decode(text)


@pytest.mark.parametrize("data", [None, [], {}, {"path": 3}, {"path": "a", "args": "x", "more": 1}])
def test_no_job(data):
    """What is no job is refused."""
    with pytest.raises(protocol.ProtocolError):
        plain.job(data)
