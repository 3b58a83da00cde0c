"""Cells run in parts, named by tag, id or number, and raise what they raise."""

import pytest

pytestmark = pytest.mark.notebook("../notebooks/pipeline.ipynb", scope="function", execute=False)


def test_nothing_has_run(notebook):
    assert not any(cell.has_run for cell in notebook.cells)
    with pytest.raises(AttributeError, match="has no name 'data'; 6 of its cells have not run"):
        notebook.data


def test_by_tag(notebook):
    notebook.run("load")
    assert notebook.data == [3, 1, 2]


def test_by_id_and_number(notebook):
    notebook.run("the-load", 2)
    assert notebook.data == [1, 2, 3]


def test_until_and_after(notebook):
    notebook.run(until="train")
    assert notebook.model == 6
    notebook.data = [10]
    notebook.run(after="load", until="train")
    assert notebook.model == 10
    notebook.run(after="train", until=4)
    assert notebook.report == "model 10"


def test_the_very_exception(notebook):
    with pytest.raises(ZeroDivisionError) as caught:
        notebook.run("bad")
    assert caught.traceback[-1].lineno + 1 == 2  # pytest counts from 0


def test_syntax_error(notebook):
    with pytest.raises(SyntaxError):
        notebook.run("typo")


def test_names_that_are_not_there(notebook):
    with pytest.raises(Exception, match="has no cell 'lod'; did you mean 'load'?"):
        notebook.run("lod")
    with pytest.raises(Exception, match="has no cell 99; its code cells are 1 to 6"):
        notebook.run(99)
    with pytest.raises(Exception, match="'twice' names the cells 5 and 6"):
        notebook.cell("twice")


@pytest.mark.notebook("../notebooks/pipeline.ipynb", scope="function", execute=False)
def test_a_run_of_all_stops_at_the_first_error(notebook):
    with pytest.raises(SyntaxError):
        notebook.run()
    assert notebook.cell("bad").has_run  # its tag promised the exception
    assert [output["ename"] for output in notebook.cell("bad").outputs] == ["ZeroDivisionError"]
