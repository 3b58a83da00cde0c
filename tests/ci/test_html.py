"""What pytest-html's page shows of notebooks."""

from __future__ import annotations

import base64
import html
import json
import re

import pytest

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BLUE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADAgH/eL9GtQAAAABJRU5ErkJggg=="
DISPLAYING = f"""\
%%xunit_test test_shown
from base64 import b64decode
from IPython.display import SVG, Image, display
display(Image(b64decode("{PNG}")), SVG("<svg></svg>"))
display({{"image/png": "A" * 600_000, "text/plain": "huge"}}, raw=True)
assert rows == []"""


def page(shell, *args: str) -> dict[str, list[dict]]:
    """The data of the page of a run: for each test its rows, as the page's script reads them."""
    result = shell.run(*args, "--html=page.html", "--self-contained-html")
    found = re.search(r'data-jsonblob="([^"]*)"', (shell.folder / "page.html").read_text())
    assert found, result.output
    return json.loads(html.unescape(found[1]))["tests"]


@pytest.mark.parametrize("options", [[], ["--save", "saved"]], ids=["alone", "saved"])
def test_a_failure(shell, options):
    """A failed test has the cell's source with the line marked, values, and the images it displayed."""
    shell.write("sales.ipynb", "%load_ext nbxunit", "rows = [1, 2]", DISPLAYING,
                "def test_own(extras):\n    extras.append({'name': 'a', 'format_type': 'text', "
                "'content': 'own', 'mime_type': None, 'extension': 'txt'})")  # fmt: skip
    tests = page(shell, "sales.ipynb", *options)
    [row] = tests["sales.ipynb::test_shown"]
    log = html.unescape(row["log"])
    assert "\n>   assert rows == []\n" in log
    assert "E   assert [1, 2] == []" in log
    assert "sales.ipynb cell 3, line 6: AssertionError" in log
    png, svg, text = (each["content"] for each in row["extras"])
    assert png == f"data:image/png;base64,{PNG}"
    assert base64.b64decode(svg.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
    assert b"600000 characters left out" in base64.b64decode(text.partition("base64,")[2])
    [own] = tests["sales.ipynb::test_own"]
    assert len(own["extras"]) == 1


def test_errors_of_notebooks(shell):
    """A kernel that died and a notebook that is broken are on the page, and counted there."""
    shell.write("dead.ipynb", "import os", "def test_dies(): os._exit(3)\ndef test_after(): pass")
    shell.write("broken.ipynb", "1 / 0")
    tests = page(shell, "dead.ipynb", "broken.ipynb")
    results = {nodeid: row["result"] for nodeid, rows in tests.items() for row in rows}
    assert results == {
        "dead.ipynb::test_dies": "Failed",
        "dead.ipynb::test_after": "Error",
        "broken.ipynb": "Error",
    }


def test_images_side_by_side(shell):
    """Where a stored image differs from the new one, the page has both, the stored one first."""
    source = f"from base64 import b64decode\nfrom IPython.display import Image\nImage(b64decode('{PNG}'))"
    path = shell.write("plot.ipynb", source)
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["outputs"] = [
        {"output_type": "execute_result", "execution_count": 1, "metadata": {},
         "data": {"image/png": BLUE, "text/plain": "<IPython.core.display.Image object>"}}
    ]  # fmt: skip
    path.write_text(json.dumps(notebook))
    [row] = page(shell, "plot.ipynb", "--check-outputs")["plot.ipynb::cell[1]"]
    [extra] = row["extras"]
    assert extra["format_type"] == "html"
    assert re.findall(r"base64,([^\"]+)", extra["content"]) == [BLUE, PNG]
