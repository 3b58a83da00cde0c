"""A scope that is kept open: set up once, looked at, tested in, torn down once."""

from __future__ import annotations

import time

import live
import pytest

HOOKS = {
    "load": "log = []\n%xunit_config run_cells=True",
    "ms": "%%xunit_setup module\nlog.append('ms')\ndb = {'n': 0}",
    "mt": "%%xunit_teardown module\nlog.append('mt')",
    "cs": "%%xunit_setup class TestA\nlog.append('cs')\nrows = []",
    "ct": "%%xunit_teardown class TestA\nlog.append('ct')",
    "as": "%%xunit_setup method TestA\nlog.append('as')",
    "fs": "%%xunit_setup\nlog.append('fs')",
}
REGISTER = "%xunit_config run_cells=False"
RUN = "%xunit_config run_cells=True"


@pytest.fixture
def kernel(shared):
    shared.run("%xunit_reset\n%reset -f", "reset")
    for name, source in HOOKS.items():
        shared.run(source, name)
    shared.run(REGISTER, "config")
    shared.run("%%xunit_test TestA::test_a\nlog.append('a')\nrows.append(1)", "a")
    shared.run("%%xunit_test test_f\nlog.append('f')\ndb['n'] += 1", "f")
    shared.run(f"{RUN}\nlog.clear()", "config")
    return shared


def log(kernel):
    return kernel.run("' '.join(log)", "look").text.strip().strip("'")


def test_module(kernel):
    """The module is set up once, tests run inside it, and it is torn down once."""
    assert "module: open" in kernel.run("%xunit_open", "open").text
    assert log(kernel) == "ms"
    assert kernel.run("db['n']", "look").text.strip() == "0"
    assert not kernel.run("%%xunit_test test_f\nlog.append('f')\ndb['n'] += 1", "f").error
    assert not kernel.run("%xunit_run test_f", "run").error
    assert kernel.run("db['n']", "look").text.strip() == "2"
    assert log(kernel) == "ms fs f fs f"
    assert "module: closed" in kernel.run("%xunit_close", "close").text
    assert log(kernel) == "ms fs f fs f mt"
    assert kernel.run("db", "look").error == "NameError"


def test_class(kernel):
    """A class is opened with the module around it; its method hooks run around each test."""
    assert "class TestA: open" in kernel.run("%xunit_open class TestA", "open").text
    assert log(kernel) == "ms cs"
    for _ in range(2):
        assert not kernel.run(
            "%%xunit_test TestA::test_a\nlog.append('a')\nrows.append(1)", "a"
        ).error
    assert kernel.run("rows", "look").text.strip() == "[1, 1]"
    assert "(open)" in kernel.run("%xunit_list", "list").text
    kernel.run("%xunit_close", "close")
    assert log(kernel) == "ms cs as a as a ct mt"


def test_all_tests_inside(kernel):
    """`%xunit_run` inside an open module sets up what is not open, and leaves the module open."""
    kernel.run("%xunit_open", "open")
    reply = kernel.run("%xunit_run", "run")
    assert "2 passed" in reply.text
    assert log(kernel) == "ms cs as a ct fs f"
    kernel.run("%xunit_close", "close")
    assert log(kernel).endswith(" mt")


def test_new_and_changed_tests(kernel):
    """A test that is new, changed, renamed or gone is what it is now."""
    kernel.run("%xunit_open", "open")
    assert "1 failed" in kernel.run("%%xunit_test test_new\nassert db['n'] == 5", "n").text
    assert not kernel.run("%%xunit_test test_newer\nassert 'n' in db", "n").error
    assert "3 passed" in kernel.run("%xunit_run", "run").text
    assert kernel.run("test_newer", "look").error == "NameError"


def test_a_failed_test_leaves_the_scope_open(kernel):
    """A failure ends its test only."""
    kernel.run("%xunit_open", "open")
    assert "1 failed" in kernel.run("%%xunit_test test_f\nassert 0", "f").text
    assert log(kernel) == "ms fs"
    assert kernel.run("db", "look").text.strip() == "{'n': 0}"


def test_a_failed_setup_opens_nothing(kernel):
    """A setup that fails is reported, what was set up is torn down, and nothing is open."""
    kernel.run("%%xunit_setup class TestA\nlog.append('cs')\nraise OSError('no')", "cs")
    reply = kernel.run("%xunit_open class TestA", "open")
    assert reply.error == "TestsFailed"
    assert "OSError" in reply.text
    assert log(kernel) == "ms cs mt"
    assert kernel.run("%xunit_close", "close").error == "UsageError"


def test_a_failed_teardown_is_reported(kernel):
    """A teardown that fails as the scope is closed fails the cell, and it is closed."""
    kernel.run("%%xunit_teardown module\nlog.append('mt')\nraise OSError('no')", "mt")
    kernel.run("%xunit_open", "open")
    reply = kernel.run("%xunit_close", "close")
    assert reply.error == "TestsFailed"
    assert "OSError" in reply.text
    assert kernel.run("%xunit_close", "close").error == "UsageError"


def test_reset_tears_down(kernel):
    """`%xunit_reset` closes first."""
    kernel.run("%xunit_open", "open")
    kernel.run("%xunit_reset", "reset")
    assert log(kernel) == "ms mt"


def test_an_interrupted_test_tears_down(kernel):
    """An interrupt inside tears the scope down: nobody knows what state it is in."""
    kernel.run("%xunit_open", "open")
    reply = kernel.run("%%xunit_test test_f\nraise KeyboardInterrupt", "f")
    assert reply.error == "KeyboardInterrupt"
    assert "interrupted in test_f" in reply.text
    assert log(kernel) == "ms fs mt"
    assert kernel.run("%xunit_close", "close").error == "UsageError"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%xunit_open class TestNone", "no class TestNone"),
        ("%xunit_open function", "only module and class"),
        ("%xunit_open nonsense", "unknown scope"),
        ("%xunit_open\n%xunit_open", "close it first"),
        ("%xunit_open\n%xunit_run -k f", "only names of tests"),
        ("%xunit_close", "nothing is open"),
    ],
)
def test_usage(kernel, line, says):
    """What makes no sense is a usage error."""
    reply = kernel.run(line, "cell")
    assert reply.error == "UsageError"
    assert says in reply.text


def test_awaiting_hooks(kernel):
    """Hooks that await are opened and closed on the kernel's loop."""
    kernel.run(
        "%%xunit_setup module\nimport asyncio\nawait asyncio.sleep(0)\nlog.append('ams')\ndb = {'n': 0}",
        "ms",
    )
    kernel.run("%%xunit_teardown module\nawait asyncio.sleep(0)\nlog.append('amt')", "mt")
    assert not kernel.run("%xunit_open", "open").error
    assert not kernel.run("%xunit_run test_f", "run").error
    kernel.run("%xunit_close", "close")
    assert log(kernel) == "ams fs f amt"


def test_python_hooks_and_fixtures(kernel):
    """setup_module, setup_class and wide fixtures are kept open as hook cells are."""
    kernel.run(
        "def setup_module(): log.append('psm')\ndef teardown_module(): log.append('ptm')", "p"
    )
    kernel.run(
        "import pytest\n@pytest.fixture(scope='module')\ndef made():\n    log.append('made')\n"
        "    yield 1\n    log.append('unmade')",
        "fixture",
    )
    kernel.run("%xunit_open", "open")
    for _ in range(2):
        assert not kernel.run("%%xunit_test test_made(made)\nassert made == 1", "m").error
    kernel.run("%xunit_close", "close")
    assert log(kernel) == "psm ms made fs fs unmade mt ptm"


def test_shutdown_tears_down(tmp_path):
    """A kernel that is shut down or restarted tears down what is open."""
    with live.started(tmp_path) as kernel:
        kernel.run("%%xunit_setup module\npass", "ms")
        kernel.run(
            "%%xunit_teardown module\nimport pathlib; pathlib.Path('torn-down').touch()", "mt"
        )
        kernel.run("%%xunit_test test_f\npass", "f")
        assert not kernel.run("%xunit_open", "open").error
        kernel.shutdown()
        end = time.monotonic() + live.TIMEOUT
        while not (tmp_path / "torn-down").exists():
            assert time.monotonic() < end
            time.sleep(0.1)
