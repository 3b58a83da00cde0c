"""Values for parameters: their texts, their code, and where that goes, beside papermill's own."""

from __future__ import annotations

import json
import math

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nbxunit import parameters
from nbxunit.host.notebooks import parameters as host_parameters
from nbxunit.host.notebooks.parameters import ParameterFileError

papermill_cli = pytest.importorskip("papermill.cli")
papermill_parameterize = pytest.importorskip("papermill.parameterize")

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
VALUES = [
    {"rows": 100},
    {"rows": 1.5, "name": "tea"},
    {"flag": True, "none": None, "off": False},
    {"quotes": "a \"double\" and a 'single' one", "lines": "one\ntwo\ttabbed", "back": "C:\\temp"},
    {"numbers": [1, 2.5, -3], "nested": [[1], ["a", None]]},
    {"table": {"a": 1, "b": {"c": [True, None]}}, "empty": {}},
    {"inf": math.inf, "minus": -math.inf},
    {"unicode": "naïve ☕ 日本語"},
    {"long": [f"item {number}" for number in range(40)]},
    {"date": "2020-01-31", "e": 1e300, "tiny": 1e-12},
]
"""Ten sets of values, of each type that JSON and YAML have."""
TAGS = [
    [["parameters"], []],
    [[], ["parameters"], []],
    [[], []],
    [["parameters"], ["injected-parameters"], []],
    [["injected-parameters"], ["parameters"]],
    [["x", "parameters"], ["parameters"]],
]
"""Notebooks as the tags of their cells."""


def notebook_of(tags: list[list[str]]) -> nbformat.NotebookNode:
    cells = [new_code_cell(f"x = {number}") for number in range(len(tags))]
    for cell, own in zip(cells, tags, strict=True):
        cell.metadata["tags"] = own
    return new_notebook(cells=cells, metadata={**METADATA, "papermill": {}})


@pytest.mark.parametrize("values", VALUES, ids="-".join)
@pytest.mark.parametrize("tags", TAGS, ids=str)
def test_the_notebook_is_papermills(values, tags, monkeypatch):
    """The injected cell has papermill's source, tags and place, and the metadata hold the values."""
    monkeypatch.setattr(parameters, "check", lambda *_: None)  # papermill only warns
    ours, theirs = notebook_of(tags), notebook_of(tags)
    host_parameters.inject(ours, values)
    theirs = papermill_parameterize.parameterize_notebook(theirs, values)
    found = [
        [(cell.source, cell.metadata.get("tags")) for cell in each.cells] for each in (ours, theirs)
    ]
    assert found[0] == found[1]
    assert ours.metadata.papermill["parameters"] == theirs.metadata.papermill["parameters"]


@pytest.mark.parametrize(
    "text", ["100", "-3", "1.5", "1e3", "True", "False", "None", "true", "none", "tea", "", "1_000", "inf",
             "0x10", "a b", "12abc", " 7 "],
)  # fmt: skip
def test_a_text_has_papermills_type(text):
    """A value on the command line is what papermill's `-p` makes of it."""
    theirs = papermill_cli._resolve_type(text)
    assert host_parameters.typed(text) == theirs
    assert type(host_parameters.typed(text)) is type(theirs)


@pytest.mark.parametrize("text", ['"small.csv"', "'100'", '"True"'])
def test_quotes_make_a_text(text):
    """Quotes around a value make it text, and are left out."""
    assert host_parameters.typed(text) == text[1:-1]


def test_files(tmp_path):
    """A file gives all types; a word on the command line comes before it."""
    (tmp_path / "a.yaml").write_text("rows: 5\nwhen: 2020-01-31\nitems: [1, two]\n")
    (tmp_path / "b.json").write_text(json.dumps({"rows": 6, "flag": True}))
    one, two = host_parameters.variants(["flag=False"], [tmp_path / "a.yaml", tmp_path / "b.json"])
    expected = {"rows": 5, "when": "2020-01-31", "items": [1, "two"], "flag": False}
    assert (one.name, one.values) == ("a", expected)
    assert (two.name, two.values) == ("b", {"rows": 6, "flag": False})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("list.yaml", "- 1\n- 2\n", "is a list, and not a mapping"),
        ("empty.yaml", "", "is empty, and not a mapping"),
        ("broken.yaml", "a: [", "cannot be read"),
        ("broken.json", "{", "cannot be read"),
        ("missing.yaml", None, "cannot be read"),
    ],
)
def test_bad_files(tmp_path, name, text, told):
    """A file that is not a mapping of names to values is an error that names it."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ParameterFileError, match=told):
        host_parameters.variants([], [tmp_path / name])


@pytest.mark.parametrize("word", ["rows", "=1", "two words=1"])
def test_bad_words(word):
    """A word that gives no name a value is an error that shows the form."""
    with pytest.raises(ParameterFileError, match="NAME=VALUE"):
        host_parameters.variants([word], [])
