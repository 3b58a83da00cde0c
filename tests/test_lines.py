"""Lines of cells are found in the file, however its JSON is written."""

from __future__ import annotations

import json

import pytest

from nbxunit.lines import FileLines


def notebook(sources) -> dict[str, object]:
    cells = [
        {
            "cell_type": "code",
            "metadata": {"source": ["no source\n"]},
            "outputs": [],
            "source": each,
        }
        for each in sources
    ]
    cells.insert(1, {"cell_type": "markdown", "metadata": {}, "source": ["text\n", "source"]})
    return {"cells": cells, "metadata": {"cells": [{"source": "none"}]}, "nbformat": 4}


def test_each_line_has_its_own(tmp_path):
    """A line of a cell is at the line of the file that holds it; empty cells have no number."""
    path = tmp_path / "a.ipynb"
    path.write_text(
        json.dumps(notebook([["one\n", "\n", "three"], [], ['four \\" {[\n', "five"]]), indent=1)
    )
    lines = path.read_text().splitlines()
    for number, line, text in [(1, 1, "one"), (1, 3, "three"), (2, 1, "four"), (2, 2, "five")]:
        assert text in lines[FileLines(path).line(number, line) - 1]


@pytest.mark.parametrize("text", ["", "{}", "[1", '{"cells": [1, null]}'])
def test_what_is_no_notebook_has_one_line(tmp_path, text):
    """A damaged file is no reason for another error."""
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert FileLines(path).line(1, 1) == 1


def test_a_source_in_one_string_has_one_line(tmp_path):
    """Where the file has a cell in one line, all of its lines are there."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook(["one\ntwo\nthree"]), indent=1))
    found = {FileLines(path).line(1, line) for line in (1, 2, 3)}
    assert len(found) == 1
    assert "one" in path.read_text().splitlines()[found.pop() - 1]
