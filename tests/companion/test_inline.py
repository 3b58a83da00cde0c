"""A companion's tests on the live notebook."""

from __future__ import annotations

import companion_notebooks
import live
import pytest

MODULE = """
import pytest

pytestmark = pytest.mark.notebook("../nb.ipynb")

def test_rate(notebook):
    assert notebook.rate == {rate}

class TestSet:
    def test_set(self, notebook, monkeypatch):
        monkeypatch.setattr(notebook, "rate", 7)
        assert notebook.doubled() == 14
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A live kernel in the notebook's folder, in which the cell that defines the names has run."""
    folder = tmp_path_factory.mktemp("work")
    companion_notebooks.write_one(folder / "nb.ipynb", [("raise SystemError('executed again')",)])
    companion_notebooks.write_one(folder / "other.ipynb", [("1",)])
    (folder / "tests").mkdir()
    (folder / "tests/test_nb.py").write_text(MODULE.format(rate=1))
    with live.started(folder) as kernel:
        kernel.run(f"__vsc_ipynb_file__ = {str(folder / 'nb.ipynb')!r}", "path")
        kernel.run("rate = 1\ndef doubled():\n    return 2 * rate", "names")
        kernel.folder = folder
        yield kernel


def test_its_tests_use_the_live_names(kernel):
    """`%xunit_run FILE.py` runs the tests on the live namespace, executes nothing, and says so."""
    reply = kernel.run("%xunit_run tests/test_nb.py", "run")
    assert "2 passed" in reply.text
    assert "test_nb.py: its tests use this live notebook" in reply.text
    assert not reply.error
    assert kernel.run("print(rate)", "print").text.strip() == "1"


def test_one_of_its_tests(kernel):
    """A node id selects among the module's tests."""
    assert "1 passed" in kernel.run("%xunit_run tests/test_nb.py::TestSet::test_set", "run").text


def test_an_edited_module(kernel):
    """A change in the module counts in the next run."""
    (kernel.folder / "tests/test_nb.py").write_text(MODULE.format(rate=2))
    reply = kernel.run("%xunit_run tests/test_nb.py", "run")
    assert "1 failed, 1 passed" in reply.text
    assert "assert 1 == 2" in reply.text
    assert reply.error == "TestsFailed"


def test_a_file_that_is_not_there(kernel):
    """A module that does not exist is a usage error that names it."""
    reply = kernel.run("%xunit_run tests/test_no.py", "run")
    assert "there is no file tests/test_no.py" in reply.text
    assert reply.error == "UsageError"


def test_another_notebooks_companion(kernel):
    """Tests of another notebook are errors that say which one the mark names."""
    text = MODULE.replace("nb.ipynb", "other.ipynb").format(rate=1)
    (kernel.folder / "tests/test_other.py").write_text(text)
    reply = kernel.run("%xunit_run tests/test_other.py", "run")
    assert "the mark names other.ipynb, and this notebook is nb.ipynb" in reply.text
