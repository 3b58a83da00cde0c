"""The body of a cell as a function: its names, lines and refusals, on a real shell."""

from __future__ import annotations

import inspect
import linecache
import traceback

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbxunit import directives
from nbxunit.kernel.cells import source, transforming
from nbxunit.kernel.cells.registry import Cell

RUN = "get_ipython().run_line_magic('xunit_run', '')\n"


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell.instance()
    yield shell
    shell.reset()
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def declare(shell):
    def declare(text):
        kind, line, index = directives.find(text)
        cell = Cell("key", 3, text, f"<cell {hash(text)}>")
        return source.declare(shell, cell, directives.parse(kind, line), index)

    yield declare
    shell.user_ns.clear()
    shell.init_user_ns()


@pytest.mark.parametrize(
    ("body", "binds"),
    [
        ("db = 1", {"db"}),
        ("import os.path, xml.dom as dom", {"os", "dom"}),
        ("from os import sep as s", {"s"}),
        ("def f(x): y = x", {"f"}),
        ("class C:\n    z = 1", {"C"}),
        ("for i in []: j = i", {"i", "j"}),
        ("with open('x') as (f, *g): pass", {"f", "g"}),
        ("try: pass\nexcept ValueError as e: pass", {"e"}),
        ("[n for n in range(3)]", set()),
        ("any((hit := n) for n in range(3))", {"hit"}),
        ("match x:\n    case {'k': k, **rest}: pass", {"k", "rest"}),
        ("x: int = 1", {"x"}),
        ("x: int", {"x"}),  # as in Python, an annotation alone makes a name the function's
        ("del x", {"x"}),
        ("global x\nx = 1", {"x"}),
        ("a.b = 1\nc[0] = 2", set()),
        ("print(x)", set()),
        ("n += 1", {"n"}),
    ],
)
def test_hooks_bind_names_of_the_notebook(declare, body, binds):
    """What a hook's body binds at its own level is global, and known."""
    declaration = declare(f"%%xunit_setup module\n{body}\n")
    assert set(declaration.binds) == binds
    assert not set(declaration.make().__code__.co_varnames) & binds


def test_fixtures_are_parameters_and_not_bound(declare):
    """A fixture is a parameter of the function, also where the body assigns to it."""
    declaration = declare("%%xunit_setup module(tmp_path_factory)\ntmp_path_factory = 1\nx = 2\n")
    assert declaration.binds == ("x",)
    assert list(inspect.signature(declaration.make()).parameters) == ["tmp_path_factory"]


@pytest.mark.parametrize(
    ("line", "parameters"),
    [
        ("test_a", []),
        ("test_a(tmp_path)", ["tmp_path"]),
        ("TestA::test_a(tmp_path)", ["self", "tmp_path"]),
        ("test_a --mark \"parametrize('n', [1])\"", ["n"]),
    ],
)
def test_parameters_of_tests(declare, line, parameters):
    """A test's parameters are its fixtures, `self` before them in a class."""
    function = declare(f"%%xunit_test {line}\npass\n").make()
    assert list(inspect.signature(function).parameters) == parameters


def test_names_of_a_test_are_its_own(declare, shell):
    """A test's body leaks nothing into the notebook."""
    before = set(shell.user_ns)
    declare("%%xunit_test test_a\nx = 1\nimport json\ndef f(): pass\n").make()()
    assert set(shell.user_ns) == before


@pytest.mark.parametrize(
    ("body", "is_async"),
    [
        ("await x", True),
        ("async for n in x: pass", True),
        ("async with x: pass", True),
        ("[n async for n in x]", True),
        ("async def f(): await x\nf", False),
        ("f = lambda: 1", False),
    ],
)
def test_a_body_that_awaits_is_a_coroutine_function(declare, body, is_async):
    """A top-level await makes the function async; one in an inner function does not."""
    function = declare(f"%%xunit_test test_a\n{body}\n").make()
    assert inspect.iscoroutinefunction(function) is is_async


@pytest.mark.parametrize("head", ["%%xunit_test test_a\n", "\n\n%%xunit_test test_a\n\n\n"])
def test_lines_are_those_of_the_cell(declare, head):
    """A traceback names the cell's file and the line that a person sees."""
    text = f"{head}x = 1\nraise ValueError(x)\n"
    declaration = declare(text)
    with pytest.raises(ValueError, match="1") as caught:
        declaration.make()()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno) == (declaration.cell.filename, text.count("\n"))
    assert frame.line == "raise ValueError(x)"


def test_lines_survive_a_joined_command(declare):
    """Lines below a command that goes over several lines keep their numbers."""
    text = "%%xunit_test test_a\nx = !echo a \\\n   b\n\nraise ValueError(x)\n"
    with pytest.raises(ValueError, match="a b") as caught:
        declare(text).make()()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 5


def test_the_cached_source_parses(declare):
    """What tracebacks read is Python with as many lines as the cell."""
    text = "%%xunit_test test_a\nx = !true\nassert x == []\n"
    declaration = declare(text)
    lines = linecache.getlines(declaration.cell.filename)
    assert len(lines) == 3
    compile("".join(lines), "<cached>", "exec")


def test_asserts_explain_themselves(declare):
    """A failing assert tells the values."""
    function = declare("%%xunit_test test_a\nx = 1\nassert x == 2, 'no'\n").make()
    with pytest.raises(AssertionError) as caught:
        function()
    assert "no" in str(caught.value)
    assert "1 == 2" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("%%xunit_test test_a\nyield 1\n", "yield cannot stand in a test cell", 2),
        ("%%xunit_setup module\nx = 1\nyield x\n", "yield cannot stand in a setup cell", 3),
        ("%%xunit_setup module\nfrom math import *\n", r"import \* cannot stand", 2),
        ("%%xunit_test test_a\nfrom __future__ import annotations\n", "from __future__", 2),
        ("%%xunit_setup module\ndef test_x(): pass\n", "test_x is defined in a hook cell", 2),
        ("%%xunit_setup module\nclass TestX: pass\n", "TestX is defined in a hook cell", 2),
        ("%%xunit_test test_a\n# only a comment\n", "has no body", 1),
        ("%%xunit_test test_a\nx = 1\n%%xunit_test test_b\n", "one hook or one test", 3),
        ("%%xunit_test test_a\nx = 1\nif x\n", "expected ':'", 3),
        ("%%xunit_test test_a\nx = 1\nbreak\n", "'break' outside loop", 3),
    ],
)
def test_refusals(declare, text, message, line):
    """What cannot be the body of a function is a SyntaxError with the cell's file and line."""
    with pytest.raises(SyntaxError, match=message) as caught:
        declare(text)
    assert caught.value.lineno == line
    assert caught.value.filename.startswith("<cell ")


def test_inner_generators_are_allowed(declare):
    """A generator function or comprehension inside a cell is not the cell's yield."""
    body = "def g():\n    yield 1\nreturn list(x for x in g())\n"
    assert declare(f"%%xunit_test test_a\n{body}").make()() == [1]


def test_runs_are_awaited_at_the_top_level_only():
    """A call of %xunit_run is awaited where the cell can await, and nowhere else."""
    call = "get_ipython().run_line_magic('xunit_run', '')\n"
    assert transforming.await_runs([call]) == [f"await {call}"]
    assert transforming.await_runs(["def f():\n", f"    {call}"]) == ["def f():\n", f"    {call}"]
    assert transforming.await_runs(["x = 1\n"]) == ["x = 1\n"]
    assert transforming.await_runs([f"ü = 1; {call}"]) == [f"ü = 1; await {call}"]


@pytest.mark.parametrize("separator", ["\u2028", "\x0c", "\x85", "\x1e"])
def test_separators_of_text_end_no_line(declare, separator):
    """Python knows three ends of a line; any other separator stands in a string as it is."""
    text = f"%%xunit_test test_a\ny = 3\nx = 'a{separator}b'\nassert len(x) == y\nraise ValueError(x)\n"
    with pytest.raises(ValueError, match=f"a{separator}b") as caught:
        declare(text).make()()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 5
    assert transforming.await_runs([f"x = '{separator}'\n", RUN]) == [
        f"x = '{separator}'\n",
        f"await {RUN}",
    ]


def test_names_of_classes_are_those_in_a_function(declare):
    """What a body defines is named as in a function of the test's name."""
    text = "%%xunit_test test_a\nclass C:\n    def m(self): pass\nreturn C, C.m\n"
    cls, method = declare(text).make()()
    assert cls.__qualname__ == "test_a.<locals>.C"
    assert method.__qualname__ == method.__code__.co_qualname == "test_a.<locals>.C.m"
