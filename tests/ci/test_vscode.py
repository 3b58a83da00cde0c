"""Notebooks in VS Code's Test Explorer, by its own pytest plugin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import suite
import vscode

pytestmark = pytest.mark.skipif(
    vscode.plugin_folder() is None,
    reason="VS Code's extension ms-python.python is not here; NBXUNIT_VSCODE names its python_files",
)

SOURCES = [
    "%load_ext nbxunit",
    "class TestDb:\n    def test_x(self): ...\n\n    class TestIn:\n        def test_y(self):\n            assert 0",
    "%%xunit_test test_n --mark \"parametrize('n', [1, 2])\"\nassert n == 1",
    "%%xunit_test TestDb::test_cell\nassert 1",
    "import pytest\n\n@pytest.mark.skip\ndef test_s():\n    pass",
]


@pytest.fixture
def explorer(tmp_path):
    folder = tmp_path / "work"
    (folder / "in").mkdir(parents=True)
    suite.write_notebook(folder / "in/a.ipynb", SOURCES)
    (folder / "test_module.py").write_text("def test_module():\n    pass\n")
    return vscode.Explorer(folder, tmp_path)


def leaves(node, *path: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """The tests of a tree: where they are, and their lines."""
    if node["type_"] == "test":
        return {node["runID"]: (path, node["lineno"])}
    found = {}
    for child in node["children"]:
        found |= leaves(child, *path, f"{node['type_']} {node['name']}")
    return found


def test_the_tree(explorer):
    """Tests stand below their classes and notebooks, at lines that the notebook's file has."""
    tree, errors = explorer.discover()
    assert errors == []
    found = leaves(tree)
    file = ("folder work", "folder in", "file a.ipynb")
    assert {nodeid: path for nodeid, (path, _) in found.items()} == {
        "in/a.ipynb::TestDb::test_x": (*file, "class TestDb"),
        "in/a.ipynb::TestDb::TestIn::test_y": (*file, "class TestDb", "class TestIn"),
        "in/a.ipynb::test_n[1]": file,
        "in/a.ipynb::test_n[2]": file,
        "in/a.ipynb::TestDb::test_cell": (*file, "class TestDb"),
        "in/a.ipynb::test_s": file,
        "test_module.py::test_module": ("folder work", "file test_module.py"),
    }
    lines = (explorer.folder / "in/a.ipynb").read_text().splitlines()
    for name in ("test_x", "test_y", "test_s"):
        (line,) = (line for nodeid, (_, line) in found.items() if nodeid.endswith(name))
        assert f"def {name}" in lines[int(line) - 1] or "@pytest" in lines[int(line) - 1]
    assert json.loads(lines[int(found["in/a.ipynb::test_n[1]"][1]) - 1].rstrip(",")).startswith(
        ("%%xunit_test test_n", "assert n")
    )


def test_runs(explorer):
    """One test runs alone; each of many has one message."""
    assert explorer.run("in/a.ipynb::TestDb::test_x").keys() == {"in/a.ipynb::TestDb::test_x"}
    ids = [
        f"in/a.ipynb::{name}"
        for name in ("TestDb::test_x", "TestDb::TestIn::test_y", "test_n[1]", "test_n[2]", "test_s")
    ]
    shown = explorer.run(*ids, "test_module.py::test_module", words=("--nbxunit-jobs=2",))
    outcomes = [shown[nodeid]["outcome"] for nodeid in ids]
    assert outcomes == ["success", "failure", "success", "failure", "skipped"]
    assert shown["test_module.py::test_module"]["outcome"] == "success"
    assert "in/a.ipynb cell 3, line 2" in shown["in/a.ipynb::test_n[2]"]["message"]


def test_what_could_not_run(explorer):
    """A broken notebook, a broken hook and a dead kernel are errors of the tests that were asked for."""
    folder = explorer.folder
    suite.write_notebook(folder / "broken.ipynb", ["1 / 0", "def test_a(): ..."])
    suite.write_notebook(
        folder / "hook.ipynb",
        ["%load_ext nbxunit", "%%xunit_setup module\n1 / 0", "def test_a(): ..."],
    )
    suite.write_notebook(
        folder / "dead.ipynb",
        ["import os", "def test_a(): ...", "def test_b():\n    os._exit(3)", "def test_c(): ..."],
    )
    shown = explorer.run(
        "broken.ipynb::test_a",
        "hook.ipynb::test_a",
        *(f"dead.ipynb::test_{name}" for name in "abc"),
    )
    assert {nodeid: told["outcome"] for nodeid, told in shown.items()} == {
        "broken.ipynb::test_a": "error",
        "hook.ipynb::test_a": "error",
        "dead.ipynb::test_a": "success",
        "dead.ipynb::test_b": "error",
        "dead.ipynb::test_c": "error",
    }
    assert (
        "broken.ipynb cell 1, line 1: ZeroDivisionError"
        in shown["broken.ipynb::test_a"]["traceback"]
    )
    _, errors = explorer.discover()
    assert any("broken.ipynb cell 1, line 1: ZeroDivisionError" in error for error in errors)


def test_long_messages(explorer):
    """Sixty failures of 30 kB each arrive whole."""
    many = "import pytest\n\n@pytest.mark.parametrize('n', range(60))\ndef test_m(n):\n    assert False, 'x' * 30_000"
    suite.write_notebook(explorer.folder / "many.ipynb", [many])
    ids = [f"many.ipynb::test_m[{n}]" for n in range(60)]
    shown = explorer.run(*ids)
    assert shown.keys() == set(ids)
    assert all("x" * 30_000 in told["message"] for told in shown.values())


PRICES = "def total(xs):\n    if not xs:\n        return 0\n    return sum(xs)\n"


def test_run_with_coverage(explorer):
    """Run with coverage tells of a module that cells import and of the notebook, by their files' lines."""
    folder = explorer.folder
    (folder / ".coveragerc").write_text("[run]\nplugins = nbxunit.coverage\n")
    (folder / "in/prices.py").write_text(PRICES)
    test = "def test_a():\n    assert prices.total([1]) == 1"
    suite.write_notebook(
        folder / "in/sales.ipynb", ["import prices", "def unused():\n    return 1", test]
    )
    *_, message = explorer.messages("in/sales.ipynb::test_a", COVERAGE_ENABLED="True")
    found = {Path(name).name: told for name, told in message["result"].items()}
    prices, notebook = found["prices.py"], found["sales.ipynb"]
    assert (sorted(prices["lines_covered"]), prices["lines_missed"]) == ([1, 2, 4], [3])
    assert (prices["executed_branches"], prices["total_branches"]) == (1, 2)
    lines = (folder / "in/sales.ipynb").read_text().splitlines()
    [missed] = notebook["lines_missed"]
    assert "return 1" in lines[missed - 1]
    assert len(notebook["lines_covered"]) == 4
