"""Ordinary cells are the user's code: not rewritten, and a failing assert tells its values all the same."""

from __future__ import annotations

import pytest

HELPERS = """\
def check(total):
    assert total == 3

def check_items(items, box):
    assert items[0] + box.n == 7, "too few"

def check_call(items):
    assert len(items) == 3 and calls.append(1) is None

def check_lists(one, other):
    assert one == other

class Box:
    n = 4
calls = []
"""
VALUES = [
    ("check(5)", ["assert 5 == 3"]),
    ("check_items([1], Box())", ["too few", "assert 1 + 4 == 7", "where 4 = box.n"]),
    ("check_call([1])", ["assert len([1]) == 3 and calls.append(1) is None"]),
    ("check_lists([1, 2], [1, 3])", ["assert [1, 2] == [1, 3]", "At index 1 diff: 2 != 3"]),
]
UNTOUCHED = """\
assert not [name for name in globals() if name.startswith("@")]
assert check.__code__.co_varnames == ("total",)
assert not {"@py_builtins", "@pytest_ar"} & set(check.__code__.co_names)
"""
TUPLES = {
    "test-cell": '%%xunit_test test_t\nx = 1\nassert (x == 2, "message")',
    "function": 'def test_t():\n    x = 1\n    assert (x == 2, "message")',
    "ordinary": 'x = 5\n\nassert (x == 4, "message")\ndef test_t(): pass',
}


def test_values_headless(shell):
    """Values of names, attributes and subscripts are told; what is called stays as it is written."""
    tests = [f"%%xunit_test test_{at}\n{call}" for at, (call, _) in enumerate(VALUES)]
    shell.write("a.ipynb", HELPERS, UNTOUCHED, *tests, "%%xunit_test test_calls\nassert not calls")
    done = shell.run("a.ipynb", width=200)
    assert done.counts == {"failed": len(VALUES), "passed": 1}, done.output
    for _, said in VALUES:
        assert all(part in done.output for part in said), done.output
    plain = shell.run("a.ipynb", "--assert=plain", width=200)
    assert "assert 5 == 3" not in plain.output
    assert plain.counts == done.counts


@pytest.mark.parametrize(("call", "said"), VALUES)
def test_values_inline(kernel, call, said):
    """Inline they are told, too."""
    kernel.run(HELPERS, "helpers")
    assert not kernel.run(UNTOUCHED, "untouched").error
    kernel.run(f"%%xunit_test test_a\n{call}", "test")
    text = kernel.run("%xunit_run").text
    assert all(part in text for part in said), text


def test_an_assert_of_the_cell_itself(shell, kernel):
    """Where a cell ends by its own assert, its values are told as well."""
    shell.write("a.ipynb", "total = 5\nassert total == 3", "def test_a(): pass")
    assert "AssertionError: assert 5 == 3" in shell.run("a.ipynb", width=200).output
    assert "assert 5 == 3" in kernel.run("total = 5\nassert total == 3", "cell").text


def test_functions_of_the_patterns_are_rewritten(shell):
    """What the ini's patterns name is a test, also a TestCase by another name, and tells its calls."""
    (shell.folder / "pytest.ini").write_text("[pytest]\npython_functions = check_*\n")
    shell.write(
        "a.ipynb",
        "def one(): return 1\ndef check_it():\n    '''Text.'''\n    assert one() == 2",
        "from unittest import TestCase\nclass Base(TestCase): pass",
        "class Rules(Base):\n    def test_it(self):\n        assert one() == 3",
    )
    done = shell.run("a.ipynb", width=200)
    assert done.output.count("where 1 = one()") == 2, done.output


def test_pickled_without_pytest(shell):
    """A function that goes to another process by cloudpickle needs no pytest there."""
    pytest.importorskip("cloudpickle")
    cells = (
        "def f(x):\n    assert x > 0\n    return x * 2",
        (
            "import cloudpickle, subprocess, sys\n"
            "def test_remote():\n"
            '    code = \'import sys; sys.modules["_pytest"] = None; import pickle; '
            "print(pickle.loads(sys.stdin.buffer.read())(21))'\n"
            "    done = subprocess.run([sys.executable, '-c', code], input=cloudpickle.dumps(f), "
            "capture_output=True)\n"
            "    assert done.stdout.strip() == b'42', done.stderr"
        ),
    )
    shell.write("a.ipynb", *cells)
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 1}, done.output


def test_compiled_by_numba(shell):
    """A function with an assert compiles under numba, which is too big for the extra `test`."""
    pytest.importorskip("numba")
    shell.write(
        "a.ipynb",
        "import numba\n@numba.njit\ndef f(x):\n    assert x > 0\n    return x + 1",
        "def test_f():\n    assert f(1) == 2",
    )
    done = shell.run("a.ipynb")
    assert done.counts == {"passed": 1}, done.output


def test_asserted_tuples_headless(shell):
    """An assert of a tuple is a warning at its cell and line; where warnings are errors, an error."""
    for name, source in TUPLES.items():
        shell.write(f"{name}.ipynb", "pass", source)
    files = [f"{name}.ipynb" for name in TUPLES]
    done = shell.run(*files, width=200)
    assert done.counts == {"passed": 3, "warning": 3}, done.output
    for file in files:
        said = "PytestAssertRewriteWarning: assertion is always true"
        assert f"{file} cell 2:3: {said}" in done.output
    strict = shell.run(*files, "-W", "error", width=200)
    assert strict.counts["error"] == 3, strict.output
    assert "INTERNALERROR" not in strict.output


@pytest.mark.parametrize("source", TUPLES.values(), ids=TUPLES)
def test_asserted_tuples_inline(kernel, source):
    """Inline the results say so, with cell and line."""
    kernel.run(source, "cell")
    text = kernel.run("%xunit_run").text
    assert "line 3: PytestAssertRewriteWarning" in text, text
    assert "1 passed" in text


FUTURE = (
    "from __future__ import annotations",
    "%%xunit_setup module\nclass Node:\n    def next(self) -> Node: return self\n",
    (
        "%%xunit_test test_a\nclass Inner:\n    def f(self) -> Inner: ...\n"
        "assert Node().next()\nassert Inner.f.__annotations__ == {'return': 'Inner'}"
    ),
)
DOUBLED = (
    (
        "import ast\nclass Double(ast.NodeTransformer):\n    def visit_Constant(self, node):\n"
        "        if type(node.value) is int:\n            return ast.Constant(2 * node.value)\n"
        "        return node\nget_ipython().ast_transformers.append(Double())"
    ),
    "%%xunit_setup module\nx = 2 + 1",
    "%%xunit_test test_a\nassert x == 3\nassert str(1) == '2'",
)
SHOUTED = (
    (
        "get_ipython().input_transformers_post.append("
        "lambda lines: [line.replace('PLUS', '+') for line in lines]);"
    ),
    "%%xunit_setup module\nx = 1 PLUS 1",
    "%%xunit_test test_a\nassert x PLUS 1 == 3",
)


def test_compiled_as_the_shell_would(shell):
    """Future flags of earlier cells, and the shell's transformers, apply to hook and test cells."""
    for name, cells in (("future", FUTURE), ("ast", DOUBLED), ("lines", SHOUTED)):
        shell.write(f"{name}.ipynb", *cells)
    done = shell.run("future.ipynb", "ast.ipynb", "lines.ipynb", width=200)
    assert done.counts == {"passed": 3}, done.output


def test_future_flags_inline(kernel):
    """Inline it is the same."""
    for at, cell in enumerate(FUTURE):
        reply = kernel.run(cell, f"cell-{at}")
        assert not reply.error, reply.text
    assert "1 passed" in kernel.run("%xunit_run").text
