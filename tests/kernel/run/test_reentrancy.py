"""A hundred runs in one kernel leave nothing behind."""

from __future__ import annotations

import json

import live
import pytest

CELLS = [
    """
import asyncio, unittest, pytest, nbxunit, warnings
flag = {"fail": False}
@pytest.fixture(scope="module")
def resource():
    yield 1
class TestPlain:
    def test_one(self, beside): pass
    @pytest.mark.skip(reason="no")
    def test_skipped(self): pass
class Case(unittest.TestCase):
    def test_sub(self):
        with self.subTest(n=1): pass
class AsyncCase(unittest.IsolatedAsyncioTestCase):
    async def test_it(self): await asyncio.sleep(0)
""",
    "%%xunit_setup module(resource)\ndb = [resource]\nnbxunit.add_cleanup(db.clear)",
    "%%xunit_setup method TestPlain\nvalue = 1",
    "%%xunit_test test_await\nawait asyncio.sleep(0)\nprint('captured')",
    """%%xunit_test test_maybe(tmp_path, monkeypatch)
monkeypatch.setenv('X_NBXUNIT', '1')
assert not flag['fail'], list(range(1000))""",
    "%%xunit_test TestPlain::test_param --mark \"parametrize('n', [1, 2])\"\nwarnings.warn(str(n))",
]
CONFTEST = """
import logging, pytest
@pytest.fixture
def beside(caplog):
    logging.getLogger().warning("x")
    return 1
"""
STATE = """
def _state():
    import gc, logging, os, sys, threading, warnings
    root = logging.getLogger()
    return {
        "conftests": [n for n in sys.modules if n.rpartition(".")[2] == "conftest"],
        "path": list(sys.path), "meta_path": [repr(type(f)) + str(id(f)) for f in sys.meta_path],
        "filters": [repr(f) for f in warnings.filters], "handlers": [id(h) for h in root.handlers],
        "level": root.level, "excepthook": repr(sys.excepthook), "hook": repr(sys.breakpointhook),
        "unraisable": repr(sys.unraisablehook), "threads_hook": repr(threading.excepthook),
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr)],
        "environ": sorted(n for n in os.environ if n.startswith(("PYTEST", "X_NBXUNIT"))),
        "cwd": os.getcwd(),
        "fds": len(os.listdir("/proc/self/fd")) if os.path.exists("/proc") else 0,
        "threads": sorted(t.name for t in threading.enumerate()),
        "files": sorted(os.listdir()), "names": sorted(n for n in globals() if n[:1] != "_"),
    }
def _objects():
    import gc
    gc.collect()
    return len(gc.get_objects())
"""
RUNS = [
    "flag['fail'] = False\n%xunit_run",
    "flag['fail'] = True\n%xunit_run",
    "%xunit_run -k test_await -q",
    "%xunit_run --collect-only -q",
    "%xunit_run --lf -x",
]


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The state of the kernel after runs 5, 20 and 100."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    states = {}
    with live.started(folder) as kernel:
        kernel.run("%xunit_config raise_on_failure=False")
        for number, source in enumerate([STATE, *CELLS]):
            assert kernel.run(source, f"cell{number}").error == ""
        for number in range(1, 101):
            source = RUNS[number % len(RUNS)]
            reply = kernel.run(source, f"run{number % len(RUNS)}")
            assert reply.error == "", reply.text
            if number in (5, 20, 100):
                look = "import json; print(json.dumps([_state(), _objects()]))"
                states[number] = json.loads(kernel.run(look, "look").text.strip())
    return states


def test_nothing_is_left(states):
    """After a hundred runs the process is as it was after five."""
    after, _ = states[100]
    before, _ = states[5]
    # A socket may be on its way at either moment; a leak would be one a run.
    assert after.pop("fds") - before.pop("fds") < 5
    assert after == before


def test_no_conftest_variable_or_file_is_left(states):
    """No conftest stays imported, no variable set, and no file is written beside the notebook."""
    after, _ = states[100]
    assert after["conftests"] == []
    assert after["environ"] == []
    assert [name for name in after["files"] if name != "__pycache__"] == ["conftest.py"]


def test_objects_do_not_pile_up(states):
    """The number of objects is flat: eighty runs add less than one run needs."""
    assert states[100][1] - states[20][1] < 10_000
