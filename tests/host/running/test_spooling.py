"""Records that wait: in order, in one file for all runs, which is empty when nothing waits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbxunit.host.records import Output
from nbxunit.host.running import spooling
from nbxunit.host.running.spooling import Spool, Store

steps = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 3000))), max_size=40
)


@given(steps, st.sampled_from([0, 500, 10_000]))
def test_what_is_put_is_got(given_steps, budget):
    """Each run gets its own records in their order, whether they waited in memory or in the file."""
    before, spooling.IN_MEMORY = spooling.IN_MEMORY, budget
    try:
        store = Store()
        spools = [Spool(store) for _ in range(3)]
        expected: list[list[Output]] = [[], [], []]
        for which, size in given_steps:
            if size is None:
                if expected[which]:
                    assert spools[which].get(0) == expected[which].pop(0)
                continue
            record = Output("stdout", f"{which}" * size)
            spools[which].put(record)
            expected[which].append(record)
        for spool in spools[:2]:
            spool.end()
        for which in (0, 1):
            rest = iter(lambda spool=spools[which]: spool.get(0), None)
            assert list(rest) == expected[which]
        spools[2].close()
        assert (store._in_memory, store._places, store._end) == (0, 0, 0)
        store.close()
    finally:
        spooling.IN_MEMORY = before
