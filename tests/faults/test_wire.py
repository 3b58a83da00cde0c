"""A kernel whose messages lie: what is forged, damaged, twice or too big is an error of its notebook alone."""

from __future__ import annotations

import json

import pytest
from many import LAST, Batch

from nbxunit import frames, protocol

# The wire's own objects, as code in the kernel can find them.
FIND = """\
import gc, json, time, types
from nbxunit import frames, protocol
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.headless import wire
def the_wire(): return next(each for each in gc.get_objects() if type(each) is wire.Wire)
def send(event): the_wire().send(event); the_wire().flush()
def prompt(text): ipython.StdinChannel(get_ipython()).request(text)
PLACE = ("x.ipynb", None, "x")
def report(name): return {"nodeid": name, "location": PLACE, "outcome": "passed", "when": "call", "keywords": {},
    "longrepr": None, "sections": [], "duration": 0, "user_properties": [], "$report_type": "TestReport"}
"""
BEFORE = "def test_before(): pass"
FORGED = {  # the body of a test: what is said of it
    "another_nonce": (r"prompt(frames.PROMPT + 'forged 1 1/1 ')", "a frame of another run, or none"),
    "no_frame": ("prompt(frames.PROMPT + 'nonsense')", "a frame of another run, or none"),
    "a_question": ("prompt('What is your password? ')", "a question, which only --pdb asks"),
    "frame_twice": (
        "w = the_wire(); prompt(frames.encode_frame(w._nonce, w._number, [])[0])", "is out of order",
    ),
    "part_too_big": (
        "w = the_wire(); prompt(f'{frames.PROMPT}{w._nonce} {w._number + 1} 1/1 ' + 'x' * 2_000_000)",
        "is out of order or too large",
    ),
    "too_many_parts": (
        "w = the_wire(); prompt(f'{frames.PROMPT}{w._nonce} {w._number + 1} 1/999999 x')", "too large",
    ),
    "no_json": ("the_wire()._lines.append('{'); the_wire().flush()", "not JSON"),
    "nan": ("the_wire()._lines.append('{\"event\": \"Ended\", \"status\": NaN}'); the_wire().flush()", "no JSON"),
    "unknown_event": ("the_wire()._lines.append('{\"event\": \"Paid\"}'); the_wire().flush()", "unknown event"),
    "unknown_field": (
        "the_wire()._lines.append('{\"event\": \"Ended\", \"status\": 0, \"x\": 1}'); the_wire().flush()",
        "damaged Ended event",
    ),
    "hello_again": ("send(protocol.Hello('1.0', '', '', '', ''))", "Hello event out of order"),
    "collected_again": ("send(protocol.Collected(()))", "Collected event out of order"),
    "unknown_test": ("send(protocol.Started('x.ipynb::test_other', PLACE))", "Started event out of order"),
    "report_of_another": ("send(protocol.Reported(report('x.ipynb::test_last')))", "Reported event out of order"),
    "repeated_another_test": (
        "send(protocol.Repeated(({'nodeid': 'x.ipynb::test_last'},)))", "Repeated event out of order",
    ),
    "finished_another": ("send(protocol.Finished('x.ipynb::test_last', PLACE))", "Finished event out of order"),
    "ended_early": ("send(protocol.Ended(0)); send(protocol.Ended(0))", "not run: pytest ended in the kernel"),
}  # fmt: skip
DAMAGED = {  # of a report that fails: one field, and how it is told
    "duration": ("'x'", "its duration is none"),
    "start": ("None", "its start is none"),
    "outcome": ("3", "its outcome is none"),
    "keywords": ("[]", "its keywords is none"),
    "location": ("['a']", "its location is none"),
    "sections": ("[['a']]", "its sections is none"),
    "user_properties": ("[1]", "its user_properties is none"),
    "wasxfail": ("3", "its wasxfail is none"),
    "longrepr": ("{'reprcrash': 3, 'reprtraceback': 3}", "a damaged report"),
    "when": ("'never'", "Reported event out of order"),
}
REPEATED = """\
def test_it(subtests):
    with subtests.test(i=1): pass
    send(protocol.Repeated(({CHANGES},)))
"""
DAMAGED_AGAIN = {  # of a subtest's report: what differs, and how it is told
    "times": ("'duration': 'x'", "its duration is none"),
    "context": ("'_subtest.context': {'msg': None, 'kwargs': 3}", "a damaged report"),
    "no_context": ("'_subtest.context': 3", "a damaged report"),
}
REPORT = """\
def test_it():
    it = report("NAME.ipynb::test_it") | {"outcome": "failed", "longrepr": "x", "FIELD": VALUE}
    the_wire()._lines.append(json.dumps({"event": "Reported", "report": it}))
    the_wire().flush()
"""


@pytest.fixture(scope="module")
def batch(shells, rows):
    """All of them in one run; each test comes between one that passes and one that would."""
    shell = shells()
    for name in rows(FORGED):
        code, _ = FORGED[name]
        shell.write(
            f"{name}.ipynb", FIND, BEFORE, f"def test_it():\n    {code}\n    time.sleep(9)", LAST
        )
    for name in rows(DAMAGED):
        value, _ = DAMAGED[name]
        test = REPORT.replace("NAME", f"damaged_{name}").replace("FIELD", name)
        shell.write(f"damaged_{name}.ipynb", FIND, BEFORE, test.replace("VALUE", value), LAST)
    for name, (changes, _) in DAMAGED_AGAIN.items():
        test = REPEATED.replace("CHANGES", changes)
        shell.write(f"again_{name}.ipynb", FIND, BEFORE, test, LAST)
    older = "import nbxunit.protocol as p\np.VERSION = '0.9'"
    shell.write("older.ipynb", older, LAST)
    return Batch(shell, "--junitxml=j.xml", "--durations=3")


def test_the_run_goes_on(batch):
    """The notebook behind them runs, and nothing is left."""
    batch.went_on()


@pytest.mark.parametrize("name", FORGED)
def test_forged(told, name):
    """An error says what is wrong; what had passed counts, and nothing else passes."""
    it = told(name)
    assert it.counts["error"] >= 1, it.text
    assert it.counts.get("passed", 0) <= 1, it.text
    assert FORGED[name][1] in it.text
    assert "test_last: \n" not in it.text
    assert it.seconds < 30


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((f"damaged_{name}", said) for name, (_, said) in DAMAGED.items()),
        *((f"again_{name}", said) for name, (_, said) in DAMAGED_AGAIN.items()),
    ],
)
def test_damaged(told, name, said):
    """A report that reporters could not bear is an error of its notebook, and never reaches them."""
    it = told(name)
    assert it.counts["error"] >= 1, it.text
    assert said in it.text
    assert "failed" not in it.counts


def test_another_version(told):
    """A kernel of another version is an error that names both."""
    it = told("older")
    assert it.counts == {"error": 1}, it.text
    assert f"version 0.9 of the protocol, and not {protocol.VERSION}" in it.text


def test_order():
    """What a run tells is taken in its order, and in no other."""
    place = ("a.ipynb", 1, "test_a")
    report = {"nodeid": "a", "when": "call"}
    sound = [
        protocol.Hello(protocol.VERSION, "", "", "", ""), protocol.Reported({"nodeid": "a"}),
        protocol.Collected(("a",)), protocol.Started("a", place), protocol.Reported(report),
        protocol.Finished("a", place), protocol.Ended(0),
    ]  # fmt: skip
    order = frames.Order()
    for event in sound:
        order.check(event)
    for wrong in range(len(sound)):
        order = frames.Order()
        for event in sound[:wrong]:
            order.check(event)
        for other in sound[:wrong] if wrong != 2 else sound[:1]:
            if isinstance(other, protocol.Reported) and other.report == report and wrong == 5:
                continue  # a test has several reports
            if isinstance(other, protocol.Started) and wrong == 6:
                continue  # a plugin may run a test again
            with pytest.raises(protocol.ProtocolError):
                order.check(other)


def test_journal():
    """Of a journal counts what no frame has carried."""
    lines = ["frame 1", "a", "b", "frame 2", "c", "", "frame 3", json.dumps("frame 4"), "d"]
    text = "\n".join(lines)
    assert list(frames.journal_lines(text, 0)) == ["a", "b", "c", '"frame 4"', "d"]
    assert list(frames.journal_lines(text, 2)) == ['"frame 4"', "d"]
    assert list(frames.journal_lines("", 0)) == []
