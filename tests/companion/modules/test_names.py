"""The notebook's names are attributes that can be read, set, deleted and patched."""

from unittest import mock

import pytest

pytestmark = pytest.mark.notebook("../notebooks/names.ipynb")


def test_set(notebook):
    notebook.rate = 3
    assert notebook.scaled(2) == 6
    notebook.rate = 1


def test_delete(notebook):
    notebook.gone = 1
    del notebook.gone
    assert not hasattr(notebook, "gone")
    with pytest.raises(AttributeError, match="gone"):
        del notebook.gone


def test_monkeypatch(notebook, monkeypatch):
    monkeypatch.setattr(notebook, "rate", 2)
    assert notebook.scaled(2) == 4
    monkeypatch.undo()
    assert notebook.scaled(2) == 2
    monkeypatch.delattr(notebook, "rate")
    with pytest.raises(NameError):
        notebook.scaled(2)


def test_patched_and_put_back(notebook):
    with mock.patch.object(notebook, "helper", return_value=5):
        assert notebook.scaled(2) == 5
    assert notebook.scaled(2) == 2


def test_a_name_of_ours(notebook):
    assert notebook["run"] == "the notebook's run"
    assert callable(notebook.run)
    with pytest.raises(AttributeError, match='notebook\\["run"\\]'):
        notebook.run = 1
    notebook["run"] = "set"
    assert notebook["run"] == "set"


def test_a_name_that_is_missing(notebook):
    with pytest.raises(AttributeError, match="did you mean scaled"):
        notebook.scale
    with pytest.raises(KeyError):
        notebook["scale"]


def test_what_there_is(notebook):
    assert {"rate", "scaled", "run", "cells"} <= set(dir(notebook))
    assert "rate" in notebook


def test_magics_and_history(notebook):
    assert notebook.files == ["names.ipynb"]
    assert notebook.Out[3] == 42
    assert "%matplotlib" not in notebook.In[1]
