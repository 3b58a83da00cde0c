"""An indirect parameter gives other notebooks, or values for parameters."""

import pytest

pytestmark = pytest.mark.notebook("../notebooks/report.ipynb", parameters={"rows": 7})


def test_values_of_the_mark(notebook):
    assert (notebook.rows, notebook.path_of_data) == (7, "default.csv")
    assert notebook.doubled == 14


@pytest.mark.parametrize(
    "notebook", [{"rows": 1}, {"rows": 2, "path_of_data": "b.csv"}], indirect=True
)
def test_values_of_parameters(notebook):
    assert notebook.doubled == 2 * notebook.rows
    assert notebook.rows in (1, 2)


@pytest.mark.notebook("../notebooks/names.ipynb")
@pytest.mark.parametrize(
    "notebook", ["../notebooks/names.ipynb", "../notebooks/report.ipynb"], indirect=True
)
def test_other_notebooks(notebook):
    assert notebook.path.name in ("names.ipynb", "report.ipynb")
    assert ("scaled" in notebook) == (notebook.path.name == "names.ipynb")


def test_numbers_are_the_files(notebook):
    assert [cell.number for cell in notebook.cells] == [1, 0, 2]
    assert notebook.cells[1].source == "# Parameters\nrows = 7\n"
