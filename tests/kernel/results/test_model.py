"""What a result says of what went wrong: where, how it came there, and how much of it is shown."""

from __future__ import annotations

import html
import re

import live
import pytest


@pytest.fixture
def kernel(shared):
    shared.run("%reset -f\n%xunit_reset\n%xunit_config run_cells=True", "reset")
    return shared


def seen(reply):
    """The text of the HTML, without the folded report, blanks as one."""
    folded = r"<style>.*?</style>|<summary[^>]*>full pytest report</summary><pre>.*?</pre>"
    text = re.sub(r"<[^>]*>", " ", re.sub(folded, "", reply.html, flags=re.DOTALL))
    return " ".join(html.unescape(text).split())


def test_a_statement_is_shown_whole(kernel):
    """Of a statement that goes over several lines, each is shown, and the first is marked."""
    reply = kernel.run("%%xunit_test test_a\nx = 1\nassert (\n    x\n    == 2\n), 'why'", "A")
    assert "3 ▸ assert ( 4 x 5 == 2 6 ), 'why'" in seen(reply)
    assert re.search(r"> +assert \(\n +x\n +== 2\n +\), 'why'\n", reply.text)


def test_the_way_there(kernel):
    """What failed in the function of another cell is shown with the line that called it."""
    kernel.run("def helper(n):\n    assert n == 5", "H")
    reply = kernel.run("%%xunit_test test_a\nn = 4\nhelper(n)", "A")
    assert "line 3, in test_a 3 helper(n) Cell [" in seen(reply)
    assert "line 2 1 def helper(n): 2 ▸ assert n == 5" in seen(reply)
    assert reply.html.index("#cell-id=A") < reply.html.index("#cell-id=H")


def test_endless_recursion(kernel):
    """Of very many calls the first and the last are shown."""
    kernel.run("def helper(n):\n    return helper(n + 1)", "H")
    reply = kernel.run("%%xunit_test test_a\nhelper(0)", "A")
    assert "RecursionError" in seen(reply)
    assert seen(reply).count("Cell [") <= 4
    assert len(reply.html) < 50_000


@pytest.mark.parametrize(("how", "says"), [(" from e", "caused by"), ("", "while handling")])
def test_causes(kernel, how, says):
    """The exception that another was raised from, or while it was handled, is named with its line."""
    body = f"try:\n    {{}}['k']\nexcept KeyError as e:\n    raise ValueError('outer'){how}"
    reply = kernel.run(f"%%xunit_test test_a\n{body}", "A")
    for text in (seen(reply), reply.text):
        assert re.search(rf"{says} KeyError: 'k', .*cell \d+, line 3", text)


def test_groups(kernel):
    """A group of exceptions is shown with its members, at the line of the cell that raised it."""
    reply = kernel.run(
        "%%xunit_test test_a\nimport asyncio\nasync def bad(n): raise ValueError(n)\n"
        "async with asyncio.TaskGroup() as tg:\n    tg.create_task(bad(71))\n    tg.create_task(bad(72))",
        "A",
    )
    assert "line 4, in test_a" in seen(reply)
    assert re.search(
        r"ExceptionGroup: .*2 sub-exceptions.*ValueError: 71.*ValueError: 72", seen(reply)
    )
    assert "\n    \n" not in reply.text


def test_subtests(kernel):
    """Each failed subtest says which it is, and the test says nothing more."""
    kernel.run(
        "import unittest\nclass TestA(unittest.TestCase):\n    def test_a(self):\n"
        "        for n in range(4):\n            with self.subTest('odd <b>', n=n):\n"
        "                assert n % 2 == 0",
        "A",
    )
    reply = kernel.run("%xunit_run -v", "R")
    assert "subtest [odd <b>] (n=1)" in seen(reply)
    assert "subtest [odd <b>] (n=3)" in seen(reply)
    assert "subtest [odd <b>] (n=3), " in reply.text
    assert "contains" not in reply.text


def test_where_many_did_not_run(kernel):
    """A setup that failed for several tests names the class they are in, else the first of them."""
    kernel.run("def setup_module(): raise OSError('no')\ndef test_a(): pass", "A")
    kernel.run("class TestB:\n    def test_b(self): pass\n    def test_c(self): pass", "B")
    reply = kernel.run("%xunit_run", "R")
    assert "! test_a and 2 more (3 tests not run)" in reply.text
    reply = kernel.run("%xunit_run TestB", "R")
    assert "! TestB (2 tests not run)" in reply.text
    assert "in TestB" not in seen(reply)  # the line is that of setup_module


def test_hooks_that_ran_before(kernel):
    """A test that failed names the module's and its class's setups, also if others ran them."""
    kernel.run("%%xunit_setup module\nm = 1", "M")
    kernel.run("%%xunit_setup class TestA\nc = 1", "C")
    kernel.run(
        "class TestA:\n    def test_a(self): pass\n    def test_b(self): assert c == 2\n"
        "def test_c(): assert m == 2",
        "T",
    )
    reply = kernel.run("%xunit_run", "R")
    rows = [line for line in reply.text.splitlines() if "hooks: " in line]
    assert re.fullmatch(
        r" +hooks: module setup \[\d+\] ok before, class setup of TestA \[\d+\] ok before", rows[0]
    )
    assert re.fullmatch(r" +hooks: module setup \[\d+\] ok before", rows[1])
    assert seen(reply).count("(already run)") == 3


@pytest.mark.parametrize("body", ["pytest.exit('enough')", "pytest.exit('enough', 0)"])
def test_a_test_that_ends_the_run(kernel, body):
    """A test that pytest has not seen end is not shown as passed, and the cell fails."""
    kernel.run(f"import pytest\ndef test_a(): {body}\ndef test_b(): pass", "T")
    reply = kernel.run("%xunit_run", "R")
    assert reply.error == "TestsFailed"
    assert "pytest.exit: enough, 2 tests not run" in seen(reply)
    assert "passed" not in reply.text


def test_a_run_that_runs_nothing(tmp_path):
    """A plugin that keeps pytest from running the tests does not make the cell green."""
    (tmp_path / "conftest.py").write_text("def pytest_runtestloop(): return True\n")
    with live.started(tmp_path) as kernel:
        kernel.run("def test_a(): pass\ndef test_b(): pass", "T")
        reply = kernel.run("%xunit_run", "R")
        assert reply.error == "TestsFailed"
        assert "the run ended early, 2 tests not run" in seen(reply)
        assert kernel.run("%xunit_run --setup-plan", "R").error == ""


def test_how_many_did_not_run(kernel):
    """With -x the result says why the run ended, and how many tests are left."""
    kernel.run("def test_a(): assert 0\ndef test_b(): pass\ndef test_c(): pass", "T")
    for text in ((reply := kernel.run("%xunit_run -x", "R")).text, seen(reply)):
        assert "stopping after 1 failures, 2 tests not run" in text


def test_words_of_plugins(kernel):
    """What a plugin counts besides is counted, and no outcome of a test."""
    kernel.run("import pytest\ndef test_a(subtests):\n    with subtests.test(n=1): pass", "T")
    if "subtests" not in kernel.run("%xunit_run --fixtures", "R").text:
        pytest.skip("this pytest has no subtests")
    reply = kernel.run("%xunit_run -v", "R")
    assert "1 passed, 1 subtests passed in" in reply.text


def test_huge_values(kernel):
    """Messages, values and output of any size leave a small output that says what was left out."""
    reply = kernel.run(
        "%%xunit_test test_a\nprint('line\\n' * 100_000)\nraise ValueError('x' * 3_000_000)", "A"
    )
    assert "characters left out" in seen(reply)
    assert sum(len(text) for text in (*reply.texts, reply.html)) < 60_000
    kernel.run("%xunit_reset", "reset")
    kernel.run(
        "import pytest\n@pytest.mark.parametrize('n', range(300))\n"
        "def test_b(n):\n    raise ValueError('y' * 9_000)",
        "B",
    )
    reply = kernel.run("%xunit_run", "R")
    assert "300 failed" in seen(reply)
    assert sum(len(text) for text in (*reply.texts, reply.html)) < 600_000


def test_terminal_output(kernel):
    """Colours and progress bars of a terminal are shown as what they come to."""
    reply = kernel.run(
        "%%xunit_test test_a\nprint('\\x1b[31mred\\x1b[0m')\n"
        "for n in range(5): print(f'\\r{n * 25}%', end='')\nassert 0",
        "A",
    )
    assert "red 100%" in seen(reply)
    (plain,) = reply.texts
    assert "\x1b" not in plain
    assert "75%" not in plain


def test_where_a_warning_comes_from(kernel):
    """A warning names the line of the cell."""
    reply = kernel.run("%%xunit_test test_a\nimport warnings\nwarnings.warn('old')", "A")
    assert re.search(r"cell \d+, line 3: UserWarning: old", seen(reply))


def test_showlocals(kernel):
    """`--showlocals` shows the variables of the function that failed."""
    kernel.run("%%xunit_test test_a\ninside = 41\nassert inside == 42", "A")
    reply = kernel.run("%xunit_run --showlocals", "R")
    assert re.search(r"inside += 41", reply.text)
    assert re.search(r"inside += 41", seen(reply))


def test_an_unknown_fixture(kernel):
    """A fixture that does not exist is named, beside those that a person can use."""
    # A long line is cut, and plugins that are installed for other tests have fixtures, too.
    kernel.run("import os\nos.environ['PYTEST_ADDOPTS'] = '-p no:html -p no:metadata'", "env")
    reply = kernel.run("%%xunit_test test_a(nope)\npass", "A")
    kernel.run("del os.environ['PYTEST_ADDOPTS']", "env")
    assert "fixture 'nope' not found" in seen(reply)
    assert "tmp_path" in reply.text
    assert "_nbxunit" not in reply.html


def test_the_name_of_a_class_of_a_test(kernel):
    """A class that a test cell defines has the name that it has in a function."""
    reply = kernel.run("%%xunit_test test_a\nclass Mine(Exception): pass\nraise Mine", "A")
    assert "test_a.<locals>.Mine" in seen(reply)
    assert "factory" not in reply.html


def test_an_error_of_syntax_is_short(kernel):
    """A cell that is refused shows its line and the reason, and none of our code."""
    for body, says in (("yield 1", "cannot stand"), ("if x", "expected ':'")):
        reply = kernel.run(f"%%xunit_test test_a\ny = 1\n{body}", "A")
        plain = re.sub(r"\x1b\[[\d;]*m", "", reply.text)
        assert reply.error == "SyntaxError"
        assert "line 3" in plain
        assert says in plain
        assert "source.py" not in plain
        assert "cause" not in plain


@pytest.mark.parametrize("above", ["x = 1\n", "# a comment\n\n"])
def test_a_magic_that_is_not_first(kernel, above):
    """A `%%` line of ours below others is refused with the reason."""
    reply = kernel.run(f"{above}%%xunit_test test_a\npass", "A")
    assert reply.error == "UsageError"
    assert "must be the first line of its cell" in reply.text


def test_one_output(kernel):
    """A cell that has two things to say says them in one output."""
    kernel.run("%xunit_config run_cells=False\n%xunit_list", "C")
    kernel.run("%%xunit_test test_a\npass", "A")
    reply = kernel.run("%%xunit_test test_a\nassert 1", "B")
    (shown,) = reply.outputs
    assert shown["msg_type"] == "display_data"
    assert "registered" in reply.text
    assert "replaces that of" in reply.text


def test_refused_options(kernel):
    """An option that pytest does not know is named, without a command that nobody called."""
    kernel.run("def test_a(): pass", "T")
    reply = kernel.run("%xunit_run --bogus", "R")
    assert "%xunit_run: unrecognized arguments: --bogus" in reply.text
    assert "ipykernel" not in reply.text


def test_durations(kernel):
    """`--durations` shows that list and nothing else of pytest's terminal."""
    kernel.run("import time\ndef test_a(): time.sleep(0.02)\ndef test_b(): assert 0", "T")
    reply = kernel.run("%xunit_run --durations=2", "R")
    assert re.search(r"slowest 2 durations.*0\.0\ds call +.*test_a", reply.texts[0], re.DOTALL)
    assert "FAILURES" not in reply.text
