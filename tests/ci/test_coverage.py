"""Coverage with pytest-cov: of what cells import, and of cells, as of the same code in modules."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import measured
import pytest

from nbxunit.lines import FileLines

coverage = pytest.importorskip("coverage")
pytest.importorskip("pytest_cov")
JSON = ("--cov-report=json", "--cov-report=term-missing")
FORKED = pytest.mark.parametrize("shell", ["forked"], indirect=True)
"""For what does not depend on how a kernel is started."""
LIBRARY = """
def one(n):
    if n:
        return 1
    return 2


def two():
    return 2
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """What pytest-cov says of the project with its tests in modules, with and without branches."""
    found = {}
    for branch in ([], ["--cov-branch"]):
        folder = tmp_path_factory.mktemp("modules") / "project"
        measured.write(folder, notebooks=False)
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--cov=shop", "--cov=tests", *branch, *JSON],
            cwd=folder, check=True, timeout=120,
        )  # fmt: skip
        found[bool(branch)] = measured.found(folder)
    return found


@pytest.fixture
def project(shell):
    """The project with notebooks, in which the shell stands."""
    shell.folder /= "project"
    measured.write(shell.folder, notebooks=True)
    return shell.folder


@pytest.fixture
def library(shell):
    """A module `lib` and a folder `nb`, where the shell stands."""
    (shell.folder / "nb").mkdir()
    (shell.folder / "lib.py").write_text(LIBRARY)
    (shell.folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")


def table(result) -> dict[str, str]:
    """The lines that each file of the terminal's report misses."""
    report = result.output.rpartition("tests coverage")[2].partition("TOTAL")[0]
    rows = re.findall(r"^(\S+\.\w+) .* \d+%(.*)$", report, re.MULTILINE)
    return {name: missing.strip() for name, missing in rows}


def data(folder):
    found = coverage.CoverageData(str(folder / ".coverage"))
    found.read()
    return found


@pytest.mark.parametrize(
    "options", [[], ["--cov-branch"], ["--cov-branch", "-n", "2"]], ids=" ".join
)
def test_cells_and_package_are_as_modules(shell, project, modules, options):
    """Line by line and branch by branch, a notebook's coverage is that of the same code in a module."""
    result = shell.run("--cov=shop", "--cov=tests", *options, *JSON)
    assert result.exit == 0, result.output
    found = measured.found(project)
    assert found == modules["--cov-branch" in options]


def test_xdist(project, shell, modules):
    """Kernels of xdist's workers are measured as well."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbxunit", "-n", "2", "--cov=shop", "--cov=tests", *JSON,
         *(["--nbxunit-no-fork"] if shell.options else [])],
        cwd=project, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert measured.found(project) == modules[False]


def test_contexts_append_and_limit(project, shell):
    """Contexts are ids of tests, data are appended to, and a limit that is not reached fails the run."""
    notebook = project / "tests" / "test_plain.ipynb"
    assert shell.run("tests/test_module.py", "--cov=shop").exit == 0
    result = shell.run(
        "tests/test_plain.ipynb", "--cov=shop", "--cov=tests", "--cov-append", "--cov-context=test",
        "--cov-fail-under=99",
    )  # fmt: skip
    assert result.exit == 1
    assert "Coverage failure: total of" in result.output
    found = data(project)
    assert not found.lines(str(project / "tests" / "test_module.py"))
    shop = found.contexts_by_lineno(str(project / "shop" / "core.py"))
    price = measured.PACKAGE.split("\n").index("    if n > 10:") + 1
    assert shop[price] == ["", "tests/test_plain.ipynb::test_small|run"]
    lines = FileLines(notebook)
    cells = found.contexts_by_lineno(str(notebook))
    assert cells[lines.line(1, 1)] == [""]
    assert cells[lines.line(8, 2)] == ["tests/test_plain.ipynb::test_small|run"]
    assert cells[lines.line(7, 2)] == ["tests/test_plain.ipynb::test_helper|setup"]


@FORKED
@pytest.mark.usefixtures("library")
def test_reports_have_lines_of_the_file(shell):
    """XML, LCOV and JSON have lines of the .ipynb file; text and HTML say the cell and its line besides."""
    path = shell.write(
        "a.ipynb", "import lib\n\nif lib.one(1) == 2:\n    x = 1", "%%xunit_test test_a\nlib.one(1)"
    )
    result = shell.run(
        "a.ipynb", "--cov=.", "--cov-branch", "--cov-report=xml", "--cov-report=lcov",
        "--cov-report=html", *JSON,
    )  # fmt: skip
    at = [
        FileLines(path).line(cell, line) for cell, line in [(1, 1), (1, 3), (1, 4), (2, 1), (2, 2)]
    ]
    text = path.read_text().splitlines()
    assert "lib.one(1) == 2" in text[at[1] - 1]
    hits = {at[0]: 1, at[1]: 1, at[2]: 0, at[3]: 1, at[4]: 1}
    tree = ET.parse(shell.folder / "coverage.xml")
    lines = tree.findall(".//class[@filename='a.ipynb']/lines/line")
    assert {int(line.get("number")): int(line.get("hits")) for line in lines} == hits
    lcov = (shell.folder / "coverage.lcov").read_text()
    record = next(each for each in lcov.split("end_of_record") if "SF:a.ipynb" in each)
    assert dict(re.findall(r"^DA:(\d+),(\d+)", record, re.MULTILINE)) == {
        str(line): str(hit) for line, hit in hits.items()
    }
    found = json.loads((shell.folder / "coverage.json").read_text())["files"]["a.ipynb"]
    assert found["missing_lines"] == [at[2]]
    assert table(result)["a.ipynb"] == str(at[2])
    assert "a.ipynb: cell 1, line 4\n" in result.output
    page = next((shell.folder / "htmlcov").glob("*a_ipynb.html")).read_text()
    shown = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert (
        shown.index("# cell 1")
        < shown.index("[1] 3")
        < shown.index("# cell 2")
        < shown.index("[2] 1")
    )
    assert f"line {at[1]} (cell 1, line 3) didn't jump" in shown


@FORKED
@pytest.mark.usefixtures("library")
def test_what_is_measured(shell):
    """Cells where a measured folder has them, or the ini says so; kernels without --cov are left alone."""
    shell.write(
        "nb/a.ipynb",
        "import sys\nassert not (sys.gettrace() or 'nbxunit.coverage' in sys.modules)",
        "def test_a(): pass",
    )
    assert shell.run("nb").exit == 0
    shell.write("nb/a.ipynb", "import lib", "def test_a():\n    assert lib.one(1) == 1")
    for options, expected in [
        (["--cov=nb"], {"nb/a.ipynb"}),
        (["--cov=lib", "-o", "nbxunit_cov_cells=true"], {"lib.py", "nb/a.ipynb"}),
        (["--cov=.", "-o", "nbxunit_cov_cells=false"], {"lib.py"}),
    ]:
        result = shell.run("nb", *options)
        assert table(result).keys() == expected, result.output
        assert "CoverageWarning" not in result.output


@FORKED
@pytest.mark.usefixtures("library")
def test_cells_of_all_kinds(shell):
    """Blank lines above, cells that await, magics, equal cells, doctored files, parameters: lines are right."""
    equal = "n += 1\nif n == 2:\n    n = 20"
    path = shell.write(
        "a.ipynb", "\n\n# blank\nimport asyncio\nn = await asyncio.sleep(0, 1)", equal, equal,
        "%%bash\necho hi", "!echo hi\n%time n\nif n == 1:\n    n",
        "\n\n# xunit: test test_b(tmp_path)\n\nasync for i in count(2):\n    i",
        "async def count(n):\n    for i in range(n):\n        yield i",
        "\n%%capture\n%%time\n\nif n == 1:\n    n\nn",
    )  # fmt: skip
    (shell.folder / "one.ipynb").write_text(json.dumps(json.loads(path.read_text())))
    given = shell.write(
        "p.ipynb", "k = 1", "def test_k():\n    if k == 1:\n        assert 0\n    assert k == 5"
    )
    content = json.loads(given.read_text())
    content["cells"][0]["metadata"]["tags"] = ["parameters"]
    given.write_text(json.dumps(content, indent=1))
    result = shell.run("--param", "k=5", "--cov=.", "--cov-branch", *JSON)
    assert result.exit == 0, result.output
    lines = FileLines(path)
    assert table(result)["a.ipynb"] == f"{lines.line(5, 4)}, {lines.line(8, 6)}"
    missing = "cell 5, line 4; cell 8, line 6"
    assert f"a.ipynb: {missing}\none.ipynb: {missing}\np.ipynb: cell 2, line 3\n" in result.output
    assert "Couldn't parse" not in result.output


SCRIPT = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
# %load_ext nbxunit
numbers = [1, 2]

for n in numbers:
    if n == 3:
        n = 4  # missed

# %%
# xunit: test test_cell
if numbers == []:
    1 / 0  # missed
assert numbers

# %%
def test_function():
    for k in numbers:
        if k:
            continue
        k = 3  # missed

# %%
# %%time
while n < 3:
    n += 1
"""
MYST = """\
# A

```{code-cell}
:tags: [a]

%load_ext nbxunit
x = 1
if x == 2:
    x = 3  # missed
```

```{code-cell}
# xunit: test test_b
if x == 2:
    1 / 0  # missed
```
"""


@FORKED
@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("options", [[], ["--cov-branch"]], ids=" ".join)
def test_text_notebooks(shell, options):
    """Lines and jumps are those of the text; a script's add to those of the module that it is for others."""
    for name, text in {"script.py": SCRIPT, "intro.md": MYST}.items():
        (shell.folder / name).write_text(text)
    (shell.folder / "test_module.py").write_text("def test_import(): import script")
    files = ["script.py", "intro.md", "test_module.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbxunit", *files, "--cov=.", *options, *JSON],
        cwd=shell.folder, env=shell.env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "4 passed" in done.stdout, done.stdout
    missed = {
        name: [n for n, line in enumerate(text.splitlines(), 1) if "# missed" in line]
        for name, text in {"script.py": SCRIPT, "intro.md": MYST}.items()
    }
    found = json.loads((shell.folder / "coverage.json").read_text())["files"]
    assert {name: found[name]["missing_lines"] for name in missed} == missed
    if options:
        jumps = {name: [end for _, end in found[name]["missing_branches"]] for name in missed}
        assert jumps == missed
    assert "cells that did not run" not in done.stdout


@pytest.mark.usefixtures("library")
def test_nothing_is_lost(shell):
    """What was measured is there, also of a kernel that is killed at its end, and of a broken notebook."""
    shell.write(
        "slow.ipynb", "import atexit, time, lib\natexit.register(time.sleep, 60)",
        "def test_a():\n    assert lib.one(0) == 2",
    )  # fmt: skip
    shell.write("broken.ipynb", "import lib\nlib.two()", "1 / 0", "def test_a(): pass")
    result = shell.run("-n", "2", "--cov=lib", *JSON)
    assert result.counts == {"passed": 1, "error": 1}
    assert table(result)["lib.py"] == "4"


@pytest.mark.usefixtures("library")
def test_subprocesses_and_relative_files(shell):
    """What the configuration of coverage asks for holds in kernels."""
    (shell.folder / ".coveragerc").write_text(
        "[run]\npatch = subprocess\nrelative_files = true\nomit = nb/b.ipynb\ndata_file = out/data\n"
        "[report]\nexclude_also =\n    elif False\n"
    )
    run = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import lib; lib.two()'], cwd='..')"
    shell.write(
        "nb/a.ipynb", run, "def test_a():\n    if sys:\n        pass\n    elif False:\n        pass"
    )
    shell.write("nb/b.ipynb", "def test_b(): pass")
    result = shell.run("--cov=.", *JSON)
    assert table(result) == {"lib.py": "3-5", "nb/a.ipynb": ""}, result.output
    assert (shell.folder / "out" / "data").exists()


@pytest.mark.usefixtures("library")
def test_unmeasured_tests_and_companions(shell):
    """Tests that pytest-cov's `no_cover` marks are not measured; notebooks of companion tests are."""
    shell.write(
        "nb/a.ipynb", "import lib, pytest",
        "%%xunit_test test_a --mark no_cover\nassert lib.one(1) == 1",
        "def test_b(cov):\n    assert cov\n    lib.two()",
    )  # fmt: skip
    shell.write(
        "nb/model.ipynb", "def fit(n):\n    if n:\n        return n\n    return 0", "x = fit(3)"
    )
    (shell.folder / "nb" / "test_model.py").write_text(
        "import pytest\npytestmark = pytest.mark.notebook('model.ipynb')\n"
        "def test_fit(notebook):\n    assert notebook.x == 3\n"
    )
    result = shell.run("--cov=lib", "--cov=nb", *JSON)
    assert result.counts["passed"] == 3, result.output
    assert table(result)["lib.py"] == "3-5"
    assert table(result)["nb/test_model.py"] == ""
    assert "nb/a.ipynb: cell 2, line 2\nnb/model.ipynb: cell 1, line 4\n" in result.output


@FORKED
@pytest.mark.usefixtures("library")
def test_preloaded_modules(shell):
    """A measured module is not imported ahead of its kernel, in which its lines are measured."""
    shell.write("a.ipynb", "import lib, json", "def test_a():\n    assert lib.one(0) == 2")
    result = shell.run("--cov=lib", "--preload", "lib,json", *JSON)
    assert table(result)["lib.py"] == "4, 9", result.output


@FORKED
def test_a_kernel_without_coverage(shell):
    """Where the kernel's Python lacks coverage, the error says so, and what mends it."""
    folder = shell.folder / "kernels" / "bare"
    folder.mkdir(parents=True)
    launch = "import runpy; runpy.run_module('ipykernel_launcher', run_name='__main__')"
    code = f"import sys; sys.modules['coverage'] = None; {launch}"
    argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "bare", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    shell.env["JUPYTER_PATH"] = str(shell.folder)
    shell.write("a.ipynb", "def test_a(): pass")
    result = shell.run("a.ipynb", "--kernel", "bare", "--cov=json", width=300)
    assert result.exit == 1
    assert (
        f"--cov: the kernel's Python ({sys.executable}) lacks coverage; install it there with"
        in result.output
    )
