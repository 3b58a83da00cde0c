"""Hooks and fixtures of a companion come before the cells, and tests see the very objects."""

import os
import pickle
import sqlite3
import sys
from contextlib import closing
from unittest import mock

import pytest

pytestmark = pytest.mark.notebook("../notebooks/sales.ipynb")


def setup_module():
    os.environ["ROWS"] = "100"


def teardown_module():
    del os.environ["ROWS"]


@pytest.fixture(autouse=True, scope="module")
def warehouse():
    with (
        closing(sqlite3.connect(":memory:")) as db,
        mock.patch("warehouse.connect", return_value=db) as connect,
    ):
        yield connect


def test_function_of_the_notebook(notebook):
    assert notebook.total([3, 4]) == 7


def test_setup_module_came_before_the_cells(notebook):
    assert notebook.rows == 100


def test_fixture_came_before_the_cells(notebook, warehouse):
    warehouse.assert_called_once()
    assert notebook.db is warehouse.return_value


def test_fixture_of_the_folder(notebook, from_conftest):
    assert notebook.rows
    assert from_conftest.startswith("from the conftest")


def test_working_directory_is_the_notebooks(notebook):
    assert os.path.basename(os.getcwd()) == "notebooks"


def test_pickled_objects_are_found(notebook):
    order = pickle.loads(pickle.dumps(notebook.Order("tea")))
    assert order.item == "tea"
    assert type(order) is notebook.Order
    assert sys.modules["__main__"].Order is notebook.Order


class TestReport:
    def test_rows(self, notebook):
        assert len(notebook.tidy) == 5

    def test_cells(self, notebook):
        load = notebook.cell("load")
        assert (load.text, load.result, load.tags) == ("connected\n100", 100, ("load",))
        assert [cell.number for cell in notebook.cells] == [1, 2, 3, 4, 5]
        assert load.seconds > 0
        kinds = [output["output_type"] for output in load.outputs]
        assert kinds == ["stream", "execute_result"]

    def test_displays(self, notebook):
        (shown,) = notebook.cell("plot").displays
        assert shown.data["text/html"] == "<b>bars</b>"
