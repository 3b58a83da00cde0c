"""Companion tests of text notebooks: places are lines of the text, and executed notebooks are .ipynb files."""

from __future__ import annotations

import json
import textwrap

import pytest
from shells import Shell

MYST = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# Sales

```{code-cell} ipython3
:tags: [parameters]

rows = 3
```

```{code-cell} ipython3
:tags: [load]

sales = list(range(rows))
def mean(xs):
    return sum(xs) / len(xs)
```

```{code-cell} ipython3
:tags: [check]

assert rows < 100, "too many"
rows
```
"""
SCRIPT = """\
# %% tags=["load"]
# %load_ext nbxunit
sales = [0, 1, 2]
def mean(xs):
    return sum(xs) / len(xs)

# %% [markdown]
# Text

# %%
rows = len(sales)
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.notebook("../{name}")

def test_names(notebook):
    assert notebook.sales == [0, 1, 2]
    assert notebook.cell("load").tags == ("load",)

def test_fails(notebook):
    notebook.mean([])

@pytest.mark.notebook("../{name}", execute=False)
class TestParts:
    def test_part(self, notebook):
        notebook.run("load") if "rows" not in notebook.cells[0].source else notebook.run(until="load")
        assert "sales" in notebook
"""
BROKEN = """\
import pytest

@pytest.mark.notebook("../sales.md", parameters={"rows": 100})
def test_many(notebook):
    pass
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What `nbxunit run tests -v --save saved` prints for companions of text notebooks."""
    shell = Shell(tmp_path_factory.mktemp("project"))
    (shell.folder / "sales.md").write_text(MYST)
    (shell.folder / "sales.py").write_text(SCRIPT)
    tests = shell.folder / "tests"
    tests.mkdir()
    for name in ("sales.md", "sales.py"):
        module = tests / f"test_{name.replace('.', '_')}.py"
        module.write_text(textwrap.dedent(TESTS).format(name=name))
    (tests / "test_broken.py").write_text(BROKEN)
    shell.result = shell.run("tests", "-v", "--save", "saved", "-W", "error", timeout=180)
    return shell


@pytest.mark.parametrize("module", ["sales_md", "sales_py"])
def test_tests_of_text(run, module):
    """The fixture executes the cells of the text; tests see the very objects, and cells by their tags."""
    output = run.result.output
    assert f"tests/test_{module}.py::test_names PASSED" in output, output
    assert f"tests/test_{module}.py::TestParts::test_part PASSED" in output, output


@pytest.mark.parametrize("place", ["sales.md:20", "sales.py:5"])
def test_places_of_tracebacks(run, place):
    """A failing line of a cell is named as a line of the text."""
    assert f"{place}: ZeroDivisionError" in run.result.output, run.result.output


def test_place_of_a_failing_cell(run):
    """A cell that fails in the fixture is named by its line in the text, also below injected parameters."""
    assert "test_broken.py::test_many ERROR" in run.result.output
    assert "sales.md:26: AssertionError" in run.result.output, run.result.output


def test_saved(run):
    """Each executed notebook is saved as .ipynb, with the outputs of its cells."""
    saved = list((run.folder / "saved").rglob("test_sales_md/sales*.ipynb"))
    outputs = [json.loads(path.read_text())["cells"][-1]["outputs"] for path in saved]
    shown = [each[0]["data"]["text/plain"] for each in outputs if each]
    assert (len(saved), shown) == (2, ["3"])
