"""What testbook's documentation shows, as companion tests: execute, refs, inject, patch, output, shared context."""

import os
from unittest import mock

import pytest

pytestmark = pytest.mark.notebook("../notebooks/from_testbook.ipynb")


def test_a_function(notebook):
    assert notebook.func(1, 2) == 3


def test_a_value_that_is_no_json(notebook):
    assert notebook.frame == {"a": {1, 2}}
    assert notebook.frame is notebook.frame


def test_output_text(notebook):
    assert notebook.cell("greet").text == "hello world\n"
    assert notebook.cell(1).text == ""


def test_result_of_a_cell(notebook):
    assert notebook.cell("sum").result == 3


def test_inject(notebook):
    notebook.x = [1, 2, 3]
    assert notebook.length_of_x() == 3


def test_a_class(notebook):
    counter = notebook.Counter()
    counter.up()
    assert counter.n == 1


def test_patch(notebook):
    with mock.patch("os.listdir", return_value=["a", "b"]) as listdir:
        assert notebook.count_files(".") == 2
    listdir.assert_called_once_with(".")


def test_patch_a_function_of_the_notebook(notebook):
    with mock.patch("__main__.func", return_value=42):
        assert notebook.call_func() == 42
    assert notebook.call_func() == 2


def test_patch_dict(notebook):
    with mock.patch.dict("os.environ", {"GREETING": "hi"}):
        assert notebook.greeting() == "hi"
    assert "GREETING" not in os.environ


def test_shared_context(notebook):
    notebook.shared = 1


def test_shared_context_behind_it(notebook):
    assert notebook.shared == 1


@pytest.mark.notebook("../notebooks/from_testbook.ipynb", scope="function", execute=False)
class TestSomeCells:
    def test_by_number(self, notebook):
        notebook.run(1, 2)
        assert "Counter" not in notebook

    def test_by_tag(self, notebook):
        notebook.run(until="greet")
        assert notebook.cell("greet").has_run

    def test_an_error(self, notebook):
        with pytest.raises(NameError, match="frame"):
            notebook.run("needs-frame")
