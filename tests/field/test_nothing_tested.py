"""What would test nothing in silence: it runs, or is an error that says what to do."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NOTHING = {
    "function": "def test_c():\n    assert 0",
    "class": "class TestA:\n    def test_x(self):\n        assert 0",
    "imports": '"""Text."""\nimport unittest\nclass TestB(unittest.TestCase): pass',
    "beside": "x = 1\ndef test_x():\n    assert x == 2",
}


@pytest.mark.parametrize("body", NOTHING.values(), ids=NOTHING)
def test_a_cell_that_only_defines(kernel, body):
    """A test cell that only defines functions and classes is refused, at their line."""
    reply = kernel.run(f"%%xunit_test test_c\n{body}", "cell")
    assert reply.error == "SyntaxError", reply.text
    assert "is only defined in this test cell" in reply.text
    assert "take the first line away" in reply.text


def test_a_cell_that_only_defines_headless(shell):
    """Headless it is an error."""
    shell.write("a.ipynb", f"%%xunit_test test_c\n{NOTHING['class']}")
    shell.write("b.ipynb", "%%xunit_test test_c\ndef helper(): return 1\nassert helper() == 1")
    done = shell.run("a.ipynb", "b.ipynb", width=200)
    assert done.counts == {"error": 1, "passed": 1}, done.output
    assert "a.ipynb cell 1, line 2" in done.output


IPYTEST = ("import ipytest\nipytest.autoconfig()", "%%ipytest\ndef test_a():\n    assert 0",
           "%%ipytest\ndef test_b():\n    pass", "%%ipytest\nclass TestC:\n    def test_d(self): pass")  # fmt: skip
SWEEP = "for name in [each for each in globals() if each.startswith('test')]: del globals()[name]"


def test_swept_tests(shell):
    """Tests that %%ipytest or a cell sweeps away run; what a cell deletes by name does not."""
    pytest.importorskip("ipytest")
    shell.write("ipytest.ipynb", *IPYTEST)
    shell.write("swept.ipynb", "def test_a():\n    assert 0", SWEEP, "def test_b(): pass")
    shell.write("deleted.ipynb", "def test_a():\n    assert 0", "del test_a", "def test_b(): pass")
    shell.write("same.ipynb", IPYTEST[0], IPYTEST[1], "%%ipytest\ndef test_a(): pass")
    done = shell.run("ipytest.ipynb", "swept.ipynb", "deleted.ipynb", "same.ipynb", width=200)
    assert done.counts == {"failed": 2, "passed": 4, "error": 1, "warning": 1}, done.output
    assert "test_a of cell 2 was deleted before cell 3 defined another test_a" in done.output
    assert "give one of them another name" in done.output


def test_swept_tests_inline(kernel):
    """Inline they run as well, until their cell defines something else."""
    kernel.run("def test_a():\n    pass", "A")
    kernel.run(SWEEP, "sweep")
    kernel.run("def test_b():\n    pass", "B")
    assert "2 passed" in kernel.run("%xunit_run").text
    kernel.run("def test_c():\n    pass", "A")
    text = kernel.run("%xunit_run").text
    assert "test_a" not in text
    assert "2 passed" in text


DOCTESTED = '''\
def f(a):
    """Add.

    >>> f(1)
    2
    """
    return a + 2


class K:
    """Text.

    >>> K().g()
    3
    """

    def g(self):
        """
        >>> K().g()
        4
        """
        return 3'''


def write_doctests(path):
    text = "# Title\n```python\n>>> f(1)\n3\n```\nand\n>>> x\n7\n"
    cells = [new_code_cell("x = 1"), new_markdown_cell(text), new_code_cell(DOCTESTED)]
    nbformat.write(new_notebook(cells=cells), path)


def test_doctests(shell):
    """`--doctest-modules` and the option for Markdown cells collect examples, at their line."""
    write_doctests(shell.folder / "a.ipynb")
    done = shell.run(".", "--doctest-modules", width=200)
    assert done.counts == {"failed": 2, "passed": 1}, done.output
    assert "a.ipynb cell 2:4: DocTestFailure" in done.output
    assert "a.ipynb cell 2:19: DocTestFailure" in done.output
    (shell.folder / "pytest.ini").write_text("[pytest]\naddopts = --doctest-modules\n")
    done = shell.run("a.ipynb", "--doctest-markdown", width=200)
    assert done.counts == {"failed": 3, "passed": 1}, done.output
    assert "a.ipynb Markdown cell 1:7: DocTestFailure" in done.output


def test_doctests_inline(kernel):
    """Inline the option works as well, and leaves IPython's `_` as it was."""
    kernel.run(DOCTESTED, "cell")
    text = kernel.run("%xunit_run --doctest-modules").text
    assert "2 failed, 1 passed" in text, text
    kernel.run("20 + 3", "value")
    assert "23" in kernel.run("_", "last").text


PLUGIN = "import pytest\n@pytest.fixture\ndef seven(): return 7\n"


def test_plugins_of_a_cell(shell):
    """`pytest_plugins` of a cell is honoured; what comes too late is an error that says so."""
    (shell.folder / "plug.py").write_text(PLUGIN)
    (shell.folder / "early.py").write_text("def pytest_addoption(parser): pass\n")
    use = "def test_a(seven):\n    assert seven == 7"
    shell.write("a.ipynb", "pytest_plugins = ['plug']", use)
    shell.write("b.ipynb", "pytest_plugins = 'early'", "def test_b(): pass")
    shell.write("c.ipynb", "pytest_plugins = ['nosuch']", "def test_c(): pass")
    shell.write("d.ipynb", "pytest_plugins = 'pytester'", "def test_d(pytester): pass")
    done = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb", width=200)
    assert done.counts == {"passed": 2, "error": 2}, done.output
    assert "early has hooks that pytest calls before the cells run" in done.output
    assert "nosuch" in done.output


@pytest.mark.parametrize(
    "words",
    ["--junitxml=out.xml", "-n 2", "--nbxunit-jobs 2", "--nbxunit-save out", "--cache-clear"],
)
def test_options_of_the_host(kernel, words):
    """An option that does nothing inline is a usage error that says where it does."""
    kernel.run("def test_a(): pass", "A")
    reply = kernel.run(f"%xunit_run {words}")
    assert reply.error == "UsageError", reply.text
    assert "it is for `nbxunit run` and pytest" in reply.text


def test_a_missing_load_ext(shell):
    """The summary names the notebooks whose tests would be none in Jupyter."""
    shell.write("a.ipynb", "# xunit: test test_a\nassert True")
    shell.write("b.ipynb", "%load_ext nbxunit", "%%xunit_test test_b\nassert True")
    shell.write("c.ipynb", "def test_c(): pass")
    shell.write("d.ipynb", "%%xunit_test test_d\nassert True")
    done = shell.run("a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb")
    assert done.counts == {"passed": 4}, done.output
    assert "a.ipynb, d.ipynb: no cell says %load_ext nbxunit" in done.output.replace("\n", " ")
    beside = shell.run(
        "a.ipynb", "b.ipynb", "-p", "xdist", "--dist", "loadfile", "--numprocesses=2"
    )
    assert "a.ipynb: no cell says %load_ext nbxunit" in beside.output.replace("\n", " ")


def test_a_stale_notebook(kernel):
    """Hooks and tests that the saved notebook has in another form are told with the results."""
    folder = json.loads(kernel.run("import json, os; print(json.dumps(os.getcwd()))").text)
    sources = {"H": "%%xunit_setup module\nx = 1", "A": "%%xunit_test test_a\nassert x",
               "B": "def test_b():\n    pass", "C": "def test_c(): pass"}  # fmt: skip
    kernel.run(f"__vsc_ipynb_file__ = {folder + '/stale.ipynb'!r}", "file")
    for key, source in sources.items():
        kernel.run(source, key)
    saved = [new_code_cell(f"{text}  # edited" if key != "C" else text, id=key)
             for key, text in sources.items()]  # fmt: skip
    nbformat.write(new_notebook(cells=saved), f"{folder}/stale.ipynb")
    differs = "the saved cell differs from what ran"
    for text in (kernel.run("%xunit_run").text, kernel.run("%xunit_list").text):
        assert "test_b" in text
        assert text.count(differs) == 3, text
        assert f"module setup: {differs}" in text
