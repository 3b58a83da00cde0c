"""The first line of a cell: parsing and formatting are inverse; what makes no sense is refused."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import directives
from nbxunit.directives import Directive, DirectiveError

names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
paths = st.lists(names, max_size=3).map(tuple)
fixtures = st.lists(names, max_size=3, unique=True).map(tuple)
marks = st.lists(
    st.one_of(
        names,
        names.map(lambda name: f"{name}(1, key='x y')"),
        st.just("parametrize('n, sq', [(1, 1), (2, 4)])"),
        st.just("skipif('--mark' in 'a --mark b', reason='--slow')"),
    ),
    max_size=3,
).map(tuple)
tests = st.builds(Directive, st.just("test"), st.none(), paths, names, fixtures, marks)
class_hooks = st.builds(
    Directive, st.sampled_from(["setup", "teardown"]), st.sampled_from(["class", "method"]),
    paths.filter(bool), st.just(""), fixtures,
)  # fmt: skip
other_hooks = st.builds(
    Directive, st.sampled_from(["setup", "teardown"]), st.sampled_from(["module", "function"]),
    st.just(()), st.just(""), fixtures,
)  # fmt: skip


@given(st.one_of(tests, class_hooks, other_hooks))
def test_parse_reads_back_what_a_directive_prints(directive):
    """A printed directive, found in a cell and parsed, is the directive."""
    found = directives.find(f"\n{directive}\nx = 1")
    assert found is not None
    kind, line, index = found
    assert (directives.parse(kind, line), index) == (directive, 1)


@given(st.sampled_from(["setup", "teardown", "test"]), st.text())
def test_any_line_is_read_or_refused(kind, line):
    """Whatever the line, the outcome is a directive or a DirectiveError."""
    try:
        directive = directives.parse(kind, line)
    except DirectiveError:
        return
    assert directives.parse(kind, str(directive).partition(" ")[2]) == directive


@pytest.mark.parametrize(
    ("line", "scope", "path", "fixtures"),
    [
        ("", "function", (), ()),
        ("module", "module", (), ()),
        ("module(tmp_path_factory)", "module", (), ("tmp_path_factory",)),
        ("module (a, b,)", "module", (), ("a", "b")),
        ("function()", "function", (), ()),
        ("class TestOuter::TestInner", "class", ("TestOuter", "TestInner"), ()),
        ("method TestDb(request)", "method", ("TestDb",), ("request",)),
        ("  class   TestDb  ", "class", ("TestDb",), ()),
    ],
)
def test_hook_lines(line, scope, path, fixtures):
    """A hook names a scope, a class where the scope has one, and fixtures."""
    assert directives.parse("setup", line) == Directive("setup", scope, path, "", fixtures)


@pytest.mark.parametrize(
    ("kind", "line", "message"),
    [
        ("setup", "session", "unknown scope 'session'"),
        ("setup", "class", "class needs the name of a class"),
        ("setup", "module TestDb", "module takes no name"),
        ("setup", "module(tmp path)", "'tmp path' is not a valid name"),
        ("setup", "module(a, a)", "a fixture is named twice"),
        ("setup", "module --mark slow", "--mark is for tests"),
        ("teardown", "method Test-Db", "'Test-Db' is not a valid name"),
        ("test", "", "a name is missing"),
        ("test", "TestDb::", "a name is missing"),
        ("test", "test_a test_b", "is not a valid name"),
        ("test", "test_a(", "cannot read"),
        ("test", "def", "'def' is not a valid name"),
        ("test", "test_a --slow", "unknown option --slow"),
        ("test", "test_a --mark", "--mark needs a mark expression"),
        ("test", "test_a --mark a.b", "one mark at a time"),
        ("test", "test_a --mark \"parametrize('n', \"", "bad mark expression"),
    ],
)
def test_refusals(kind, line, message):
    """A line that makes no sense is refused with what was expected."""
    with pytest.raises(DirectiveError, match=message.replace("(", r"\(")):
        directives.parse(kind, line)


@pytest.mark.parametrize(
    ("mark", "parameters"),
    [
        ("parametrize('n, sq', [])", ("tmp_path", "n", "sq")),
        ("parametrize(['n', 'm'], [])", ("tmp_path", "n", "m")),
        ("parametrize(argnames='n', argvalues=[])", ("tmp_path", "n")),
        ("parametrize('tmp_path', [])", ("tmp_path",)),
        ("parametrize(names, [])", ("tmp_path",)),
        ("slow", ("tmp_path",)),
    ],
)
def test_parameters_of_marks(mark, parameters):
    """What `parametrize` names is a parameter of the test's function, beside its fixtures."""
    line = f'test_a(tmp_path) --mark "{mark}"'
    assert directives.parse("test", line).parameters == parameters


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("%%xunit_test test_a\nx", ("test", "test_a", 0)),
        ("\n\n%%xunit_setup\nx", ("setup", "", 2)),
        ("x = 1\n%%xunit_setup\n", None),
        ("%%xunit_tests test_a\nx", None),
        ("%%time\n%%xunit_test test_a", None),
        ("# xunit: test TestDb::test_a --mark slow\nx", ("test", "TestDb::test_a --mark slow", 0)),
        ("\n#xunit:setup", ("setup", "", 1)),
        ("#| label: x\n#| echo: false\n\n# xunit: test test_a", ("test", "test_a", 3)),
        ("#| export\n%%xunit_test test_a\nx", ("test", "test_a", 1)),
        ("# xunit: tset test_a", None),
        ("x = 1\n# xunit: test test_a", None),
        ("  # xunit: test test_a", None),
        ("", None),
    ],
)
def test_find(source, found):
    """A cell is ours if its first line says so, below empty ones and options of Quarto and nbdev."""
    assert directives.find(source) == found


@given(st.one_of(tests, class_hooks, other_hooks))
def test_comment_form(directive):
    """A comment says what the magic says."""
    magic = str(directive)
    comment = f"# xunit: {magic.removeprefix('%%xunit_')}"
    assert directives.find(comment) == directives.find(magic)


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("# xunit: test test_a\npass", None),
        ("\n# xunit: test test_a\npass", None),
        ("#| label: x\n# xunit: test test_a", None),
        ("x = 1\n#| label: x\n# xunit: test test_a", 3),
        ("x = 1\n# xunit: test test_a", 2),
        ("# xunit: test test_a\n\n# xunit: setup module", 3),
        ("%%xunit_test test_a\n# xunit: setup module", 2),
        ("text = '''\n# xunit: test test_a\n'''", None),
        ("!ls 'x\n# xunit: test test_a", 2),
        ("x = 1\n# xunit is fine", None),
    ],
)
def test_misplaced(source, number):
    """A comment that would declare something at the top of a cell, and stands elsewhere, is found."""
    assert directives.misplaced(source) == number


def test_lines_are_those_of_python():
    """Only Python's own ends of a line end one."""
    assert directives.lines_of("a\nb\r\nc\rd\n") == ["a", "b", "c", "d"]
    assert directives.lines_of("a\u2028b\x0cc\n\n") == ["a\u2028b\x0cc", ""]
    assert directives.lines_of("") == []


def test_names_are_taken_as_python_takes_them():
    """Letters that can be written in two ways name one thing, as in code."""
    assert directives.parse("test", "test_o\u0308l(gro\u0308\u00dfe)") == Directive(
        "test", None, (), "test_\u00f6l", ("gr\u00f6\u00dfe",)
    )


def test_labels():
    """A label names kind, scope and target in the words of messages."""
    assert Directive("setup", "class", ("A", "B")).label == "class setup of A::B"
    assert Directive("teardown", "module").label == "module teardown"
    assert Directive("test", None, ("A",), "test_x").label == "test A::test_x"
