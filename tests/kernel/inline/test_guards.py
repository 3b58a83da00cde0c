"""The options that look for tests which depend on each other, and what Tab offers."""

from __future__ import annotations

import re

import pytest

CELLS = {
    "names": "counter = 0\nrows = [1]\nsame = {}",
    "test_clean": "%%xunit_test test_clean\nown = counter\nassert rows",
    "test_dirty": "%%xunit_test test_dirty\nglobal counter, made\ncounter += 1\nmade = 1\nrows.append(2)",
    "test_once": "%%xunit_test test_once\nassert 'done' not in same\nsame['done'] = 1",
}


@pytest.fixture
def kernel(shared):
    shared.run("%reset -f\n%xunit_reset", "reset")
    for name, source in CELLS.items():
        shared.run(source, name)
    return shared


def test_state_guard(kernel):
    """It names what each test creates, rebinds and changes, and says nothing of the others."""
    text = kernel.run("%xunit_run --state-guard", "run").text
    (dirty,) = re.findall("state guard: test_dirty (.*)", text)
    assert set(dirty.split(", ")) == {
        "rebound counter", "created made", "changed rows (1 items", "then 2)",
    }  # fmt: skip
    assert "state guard: test_once changed same (0 items, then 1)" in text
    assert "state guard: test_clean" not in text
    assert "3 passed" in text


def test_twice(kernel):
    """A test that passes once only fails the run, and is named; both runs are shown."""
    reply = kernel.run("%xunit_run --twice", "run")
    assert reply.error == "TestsFailed"
    assert "run twice: test_once passed at first, then failed" in reply.text
    assert "3 passed" in reply.texts[0]


def test_twice_with_a_slow_second_run(kernel):
    """The first run stands above the second, also if only that took long enough to show progress."""
    body = "import time\ntime.sleep(1.5 if 'done' in same else 0)\nassert 'done' not in same\nsame['done'] = 1"
    kernel.run(f"%%xunit_test test_once\n{body}", "test_once")
    reply = kernel.run("%xunit_run --twice", "run")
    assert "3 passed" in reply.texts[0]
    assert "1 failed, 2 passed" in reply.texts[1]


def test_twice_the_other_way(kernel):
    """A test that fails at first only fails the run too."""
    kernel.run(
        "%%xunit_test test_once\nsame['n'] = same.get('n', 0) + 1\nassert same['n'] > 1",
        "test_once",
    )
    reply = kernel.run("%xunit_run --twice", "run")
    assert reply.error == "TestsFailed"
    assert "test_once failed at first, then passed" in reply.text
    assert "the second run differs" in reply.text


def test_twice_the_same(kernel):
    """Where nothing differs, one result says so."""
    reply = kernel.run("%xunit_run --twice test_clean", "run")
    assert reply.error == ""
    assert "with the same outcomes" in reply.text
    assert len(reply.standing) == 1


def order(kernel, words):
    kernel.run("order = []", "names-of-order")
    text = kernel.run(f"%xunit_run {words}", "run").text
    return kernel.run("print(*order)", "look").text.split(), text


def test_shuffle(kernel):
    """Another order, which its seed gives again; the tests of a class stay together."""
    kernel.run("%reset -f\n%xunit_reset", "reset")
    methods = "\n".join(f"    def test_m{n}(self): order.append('m')" for n in range(4))
    functions = "\n".join(f"def test_f{n}(): order.append('f{n}')" for n in range(8))
    kernel.run(f"class TestA:\n{methods}\n{functions}", "tests")
    plain, _ = order(kernel, "")
    first, text = order(kernel, "--shuffle=7")
    assert sorted(first) == sorted(plain)
    assert first != plain
    assert "--shuffle=7" in text
    assert order(kernel, "--shuffle=7")[0] == first
    assert "mmmm" in "".join(each[0] for each in first)
    assert re.search(r"again with --shuffle=\d+", order(kernel, "--shuffle")[1])


def test_a_seed_is_a_number(kernel):
    """Anything else is a usage error."""
    assert kernel.run("%xunit_run --shuffle=x", "run").error == "UsageError"


@pytest.mark.parametrize(
    ("text", "found", "missing"),
    [
        ("%%xunit_setup ", ["module", "class", "method", "function"], ["TestA"]),
        ("%%xunit_setup cl", ["class"], ["module"]),
        ("%%xunit_teardown class ", ["TestA", "TestCells"], ["module"]),
        ("%%xunit_test Test", ["TestA::", "TestCells::"], []),
        ("%%xunit_test test_new --m", ["--mark"], []),
        ("%xunit_run ", ["test_clean", "TestA", "--last-failed", "--state-guard"], []),
        ("%xunit_run test_cl", ["test_clean"], ["test_dirty"]),
        ("%xunit_run TestA::", ["test_method"], ["test_clean"]),
        ("%xunit_run -x test_d", ["test_dirty"], ["test_clean"]),
        ("%xunit_run --sta", ["--state-guard"], ["--twice"]),
        ("%xunit_open class Test", ["TestA"], ["module"]),
        ("%xunit_config run", ["run_cells=True", "run_cells=False"], ["raise_on_failure=True"]),
    ],
)
def test_completion(kernel, text, found, missing):
    """Tab offers what can stand there, to a real front end's request."""
    kernel.run("class TestA:\n    def test_method(self): pass", "class")
    kernel.run("%%xunit_test TestCells::test_b\npass", "class-of-cells")
    offered = kernel.complete(text)
    assert set(found) <= set(offered), offered
    assert not set(missing) & set(offered), offered
