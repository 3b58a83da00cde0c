"""The notebooks that teach and the README's examples, run headless and inline."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import warm_commands
import warm_kernels
from examples import FILES, GUIDE, NOTEBOOKS
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
FAILING = ("07-failures", "08-debugging")
"""The guides that show how failures look."""
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMEOUT = 120
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

PASSED, FAILED, ERROR, SKIPPED, XFAIL = "PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL"
OUTCOMES: dict[str, list[tuple[str, str]]] = {
    "quickstart": [
        ("test_total", PASSED),
        ("test_starts_empty", PASSED),
        ("test_refuses[0]", PASSED),
        ("test_refuses[-1]", PASSED),
    ],
    "scopes": [
        ("test_ship_one", PASSED),
        ("test_ship_none", PASSED),
        ("TestChairs::test_ship", PASSED),
        ("TestChairs::test_too_many", PASSED),
        ("TestChairs::TestReserved::test_nothing_left", PASSED),
        ("TestDesks::test_both_hooks", PASSED),
        ("TestDesks::test_ship_all", PASSED),
    ],
    "cleanups": [
        ("test_reads_prices", PASSED),
        ("test_order", PASSED),
        ("test_export_is_complete", PASSED),
        ("TestBrokenFile::test_never_runs", XFAIL),
        ("test_lock_is_gone", PASSED),
        ("test_inbox_is_empty[monday.csv]", PASSED),
        ("test_inbox_is_empty[tuesday.csv]", PASSED),
    ],
    "fixtures": [
        ("test_clean_file", PASSED),
        ("test_archive", PASSED),
        ("test_leap_day", PASSED),
        ("test_clean_name[ ada  lovelace-Ada Lovelace]", PASSED),
        ("test_clean_name[GRACE HOPPER-Grace Hopper]", PASSED),
        ("test_clean_date[iso]", PASSED),
        ("test_clean_date[dots]", PASSED),
        ("test_clean_date[slashes]", PASSED),
        ("test_many_rows", PASSED),
        ("test_windows_path", PASSED if sys.platform == "win32" else SKIPPED),
        ("test_two_digit_year", XFAIL),
        ("test_report", PASSED),
        ("test_relative_paths", PASSED),
    ],
    "failures": [
        ("test_balance", FAILED),
        ("test_entry", FAILED),
        ("test_missing_amount", FAILED),
        ("TestRemote::test_read", ERROR),
        ("TestRemote::test_write", ERROR),
        ("TestMonthly::test_january", PASSED),
        ("TestMonthly::test_february", ERROR),
        ("TestExport::test_export", PASSED),
        ("TestExport::test_export", ERROR),
        ("test_two_cleanups", PASSED),
        ("test_two_cleanups", ERROR),
        ("test_count", FAILED),
        ("test_other_scope", FAILED),
        ("test_exit", FAILED),
        ("test_bank", SKIPPED),
        ("test_currency", XFAIL),
        ("test_negative", FAILED),
        ("TestSync::test_later", FAILED),
        ("TestLines::test_lines", "SUBPASSED"),
        ("TestLines::test_lines", "SUBPASSED"),
        ("TestLines::test_lines", "SUBFAILED"),
        ("TestLines::test_lines", PASSED),
    ],
    "unittest": [
        ("TestLoans::test_available", "SUBPASSED"),
        ("TestLoans::test_available", "SUBPASSED"),
        ("TestLoans::test_available", PASSED),
        ("TestLoans::test_lend", PASSED),
        ("TestLoans::test_remind", SKIPPED),
        ("TestLoans::test_reserve", XFAIL),
        ("TestLoans::test_two_copies", PASSED),
        ("TestBackup::test_copy_is_apart", PASSED),
        ("TestBackup::test_copy_is_complete", PASSED),
    ],
    "async": [
        ("test_price", PASSED),
        ("test_clients_at_once", PASSED),
        ("test_limit", PASSED),
        ("test_requests_are_counted", PASSED),
        ("test_timeout", PASSED),
        ("TestOwnLoop::test_limit", PASSED),
        ("TestOwnLoop::test_own_loop", PASSED),
    ],
}
"""What `nbxunit run -v` says, in its order."""

SUMMARIES = {
    "quickstart": {"passed": 4},
    "scopes": {"passed": 7},
    "cleanups": {"passed": 6, "xfailed": 1},
    "fixtures": {"passed": 11, "skipped": 1, "xfailed": 1},
    "failures": {"failed": 9, "passed": 4, "skipped": 1, "xfailed": 1, "errors": 5},
    "unittest": {"passed": 5, "skipped": 1, "xfailed": 1},
    "async": {"passed": 7},
}
"""The counts of pytest's last line; subtests that passed are left out."""

FAILURES = {
    "test_balance": ["cell 4, line 3: AssertionError", "assert 1600.0 == 1500", "= balance([("],
    "test_entry": ["cell 5, line 2: AssertionError", "At index 2 diff: -900.0 != 900"],
    "test_missing_amount": ["cell 6, line 2", "cell 3, line 11: ValueError", "expected 3, got 2"],
    "ERROR at setup of TestRemote.test_read": ["cell 7, line 4", "no such table: entries"],
    "ERROR at setup of TestRemote.test_write": ["cell 7, line 4", "no such table: entries"],
    "ERROR at setup of TestMonthly.test_february": ["cell 10, line 3", "no data for this month"],
    "ERROR at teardown of TestExport.test_export": [
        "cell 14, line 2",
        "files were left over",
        "Left contains one more item: 'february.csv'",
    ],
    "ERROR at teardown of test_two_cleanups": [
        "ExceptionGroup",
        "OSError: february.csv is not open",
        "OSError: january.csv is not open",
    ],
    "test_count": ["cell 17, line 2: UnboundLocalError", "hint: ", "write `global imported`"],
    "test_other_scope": ["NameError: name 'exported' is not defined", "method setup of TestExport"],
    "test_exit": ["cell 19, line 2: SystemExit", "SystemExit: 0"],
    "test_negative": ["[XPASS(strict)] negative amounts are not read"],
    "TestSync.test_later": ["is async def", "IsolatedAsyncioTestCase"],
    """TestLines.test_lines (line="'2024-01-09; books; ten'")""": ["could not convert string"],
}
"""Headings of the report of failures.ipynb, in no order, and what stands below each."""

INLINE_FAILURES = {
    "test-balance": ("test_balance  failed", ["cell 4, line 3: AssertionError", "1600.0 == 1500"]),
    "test-entry": ("test_entry  failed", ["At index 2 diff: -900.0 != 900"]),
    "test-parse": ("test_missing_amount  failed", ["cell 3, line 11: ValueError"]),
    "test-remote-read": ("TestRemote::test_read  error", ["setup failed", "no such table"]),
    "test-remote-write": ("TestRemote::test_write  error", ["setup failed", "no such table"]),
    "test-january": ("TestMonthly::test_january  passed", []),
    "test-february": ("TestMonthly::test_february  error", ["no data for this month"]),
    "test-export": ("TestExport::test_export  error", ["teardown failed", "files were left"]),
    "test-two-cleanups": ("test_two_cleanups  error", ["cell 16, line 5: ExceptionGroup"]),
    "test-count": ("test_count  failed", ["hint: ", "write `global imported`"]),
    "test-other-scope": ("test_other_scope  failed", ["hint: exported is bound by the method"]),
    "test-exit": ("test_exit  failed", ["SystemExit: 0"]),
    "test-bank": ("test_bank  skipped", ["the bank is closed"]),
    "test-currency": ("test_currency  xfailed", ["only one currency so far"]),
    "test-negative": ("test_negative  failed", ["[XPASS(strict)]"]),
}
"""What stands below each test cell of failures.ipynb: its result, and parts of the explanation."""


if pytest.version_tuple < (9,):  # subtests came with pytest 9; before, the first that fails ends it
    OUTCOMES = {
        name: [each for each in tests if not each[1].startswith("SUB")]
        for name, tests in OUTCOMES.items()
    }
    OUTCOMES["failures"][-1] = ("TestLines::test_lines", FAILED)
    SUMMARIES["failures"] |= {"failed": 9, "passed": 3}
    FAILURES["TestLines.test_lines"] = FAILURES.popitem()[1]


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    encoding = {"PYTHONIOENCODING": "utf-8"} if sys.platform == "win32" else {}
    return {**own, "COLUMNS": "80", "NO_COLOR": "1", **encoding}


def _run(
    *words: str, cwd: Path = NOTEBOOKS, timeout: int = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """`nbxunit run WORDS`, which leaves no cache behind.

    Not in the checkout's root, where `-m nbxunit` would find the sources and not what is installed.
    """
    return warm_commands.run(
        "nbxunit", ["run", "-p", "no:cacheprovider", *words], cwd=cwd, env=_environment(),
        encoding="utf-8", timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@functools.cache
def headless(name: str) -> subprocess.CompletedProcess[str]:
    """The notebook NAME in a fresh process, with all that its tests print."""
    return _run(FILES[name].name, "-v", cwd=FILES[name].parent)


@functools.cache
def inline(name: str) -> nbformat.NotebookNode:
    """The notebook NAME as Jupyter's "Run all" leaves it. CellExecutionError if a cell fails."""
    notebook = nbformat.read(FILES[name], 4)
    with warm_kernels.started(FILES[name].parent, os.environ) as (manager, kernel):
        client = NotebookClient(notebook, km=manager, timeout=TIMEOUT)
        client.kc = kernel
        client.execute()
    return notebook


def text_of(cell: nbformat.NotebookNode) -> str:
    """What a front end without HTML shows below `cell`."""
    return "\n".join(
        output.text if output.output_type == "stream" else output.data.get("text/plain", "")
        for output in cell.outputs
    )


def outcomes(output: str) -> list[tuple[str, str]]:
    """The lines of `-v`: test and outcome."""
    words = "PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS|SUBPASSED|SUBFAILED|SUBSKIPPED"
    return re.findall(rf"(?m)^\S*\.ipynb::(.+?) ({words})\b", output)


def counts(line: str) -> dict[str, int]:
    """The counts of a last line: `1 failed, 2 passed in 0.42s`."""
    found = re.findall(r"(\d+) (failed|passed|skipped|xfailed|xpassed|errors?)\b", line)
    return {"errors" if word == "error" else word: int(count) for count, word in found}


def cell(notebook: nbformat.NotebookNode, cell_id: str) -> nbformat.NotebookNode:
    """The cell with this id."""
    return next(cell for cell in notebook.cells if cell.id == cell_id)


# --- the notebooks ---


def test_every_notebook_is_expected_to_do_something():
    """The table of outcomes has the notebooks that teach testing; the guides are numbered."""
    assert set(FILES) == set(OUTCOMES)
    assert all(re.match(r"\d\d-[a-z-]+$", path.stem) for path in GUIDE.glob("*.ipynb"))
    assert {path.parent for path in FILES.values()} == {NOTEBOOKS, GUIDE}


@pytest.mark.parametrize("name", OUTCOMES)
def test_headless_outcomes(name):
    """A headless run has these tests, in this order, with these outcomes, counts and exit code."""
    result = headless(name)
    assert outcomes(result.stdout) == OUTCOMES[name], result.stdout
    assert counts(result.stdout.splitlines()[-1]) == SUMMARIES[name]
    assert result.returncode == (1 if name == "failures" else 0)


@pytest.mark.parametrize("name", OUTCOMES)
def test_inline_run(name):
    """Executed as a whole, no cell fails, and `%xunit_run` has the counts of a headless run."""
    shown = text_of(cell(inline(name), "run-all"))
    assert counts(shown.splitlines()[-1]) == SUMMARIES[name], shown


@pytest.mark.parametrize("name", [name for name in OUTCOMES if name != "failures"])
def test_inline_test_cells(name):
    """Each test cell shows at its place that all its tests are well."""
    cells = [each for each in inline(name).cells if each.source.startswith("%%xunit_test")]
    for each in cells:
        found = counts(text_of(each).splitlines()[-1])
        assert found, each.source
        assert not {"failed", "errors", "xpassed"} & set(found), text_of(each)


@pytest.mark.parametrize("heading", FAILURES)
def test_failures_headless(heading):
    """Each kind of failure has a section of its own, which says what happened and in which cell."""
    sections = re.split(r"(?m)^_{2,} (.+?) _{2,}$|^={3,}.*$", headless("failures").stdout)
    bodies = dict(zip(sections[1::2], sections[2::2], strict=True))
    for part in FAILURES[heading]:
        assert part in bodies[heading]


def test_failures_has_no_other_sections():
    """The report of failures.ipynb has no failure besides those that are expected."""
    output = re.split(r"(?m)^=+ XFAILURES =+$", headless("failures").stdout)[0]
    found = re.findall(r"(?m)^_{2,} (.+?) _{2,}$", output)
    assert sorted(found) == sorted(FAILURES)


@pytest.mark.parametrize("cell_id", INLINE_FAILURES)
def test_failures_inline(cell_id):
    """Each kind of failure is explained below its cell."""
    shown = text_of(cell(inline("failures"), cell_id))
    first, parts = INLINE_FAILURES[cell_id]
    assert first in shown.splitlines()[0]
    for part in parts:
        assert part in shown


def test_names_stay_after_a_failed_run():
    """After the failed run of failures.ipynb, a name that a hook made can be looked at."""
    assert text_of(cell(inline("failures"), "look")) == "['january.csv', 'february.csv']"


@pytest.mark.parametrize("name", ["scopes", "unittest"])
def test_order_inline(name):
    """The order of hooks that the notebook claims in its text is the order in which they run."""
    claimed = re.search(r"```text\n(.*?)```", cell(inline(name), "order").source, re.DOTALL)
    assert claimed is not None
    assert text_of(cell(inline(name), "show-log")) == claimed[1]


def test_order_headless():
    """The order of hooks that scopes.ipynb claims is also that of a headless run."""
    claimed = re.search(r"```text\n(.*?)```", cell(inline("scopes"), "order").source, re.DOTALL)
    assert claimed is not None
    assert claimed[1] in _run(FILES["scopes"].name, "-s", cwd=GUIDE).stdout


# --- what is stored ---


@pytest.mark.parametrize("name", OUTCOMES)
def test_stored_form(name):
    """A notebook is nbformat 4.5, with readable ids and no metadata of a front end."""
    notebook = nbformat.read(FILES[name], nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec == METADATA["kernelspec"]
    assert len({each.id for each in notebook.cells}) == len(notebook.cells)
    for each in notebook.cells:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.id)
        assert set(each.metadata) <= {"tags"}


@pytest.mark.parametrize("name", OUTCOMES)
def test_first_cells(name):
    """A notebook says in its first line what it shows, and then loads the extension."""
    cells = nbformat.read(FILES[name], 4).cells
    assert re.match(r"# [\w ]+: .+", cells[0].source)
    assert next(each for each in cells if each.cell_type == "code").source == "%load_ext nbxunit"


@pytest.mark.parametrize("name", OUTCOMES)
def test_imports(name):
    """A notebook imports the standard library, pytest and nbxunit only."""
    cells = nbformat.read(FILES[name], 4).cells
    source = "\n".join(each.source for each in cells if each.cell_type == "code")
    imported = set(re.findall(r"(?m)^\s*(?:import|from) (\w+)", source))
    assert imported <= {*sys.stdlib_module_names, "pytest", "nbxunit"}


# --- the guides ---


@pytest.fixture(scope="module")
def guides(tmp_path_factory):
    """What a run says of all guides: each executed, and its outputs compared with those that are stored."""
    folder = tmp_path_factory.mktemp("guides")
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    (folder / "pytest.ini").write_text(
        "[pytest]\nnbxunit_sanitize =\n    \\d+\\.\\d+ ?s\\b => SECONDS\n    ={3,} => ===\n"
    )
    words = ["--check-execution", "--check-outputs", "-v", "-n", "2", "--tb=short"]
    return _run("notebooks/guide", *words, cwd=folder, timeout=4 * TIMEOUT).stdout


@pytest.mark.slow
@pytest.mark.timeout(5 * TIMEOUT)
@pytest.mark.parametrize("path", sorted(GUIDE.glob("*.ipynb")), ids=lambda path: path.stem)
def test_guide(guides, path):
    """A guide executes, shows what is stored in it, and its tests pass, but for those that show failures."""
    found = re.findall(rf"(?m)^\S*{path.name}::(.+?) ([A-Z]+)\b", guides)
    assert ("execution", PASSED) in found, guides
    bad = [each for each in found if each[1] in (FAILED, ERROR)]
    if path.stem in FAILING:
        bad = [each for each in bad if each[0].startswith("cell[")]
    assert not bad, guides


def texts() -> dict[Path, str]:
    """The README, and the text of each notebook."""
    found = {ROOT / "README.md": README}
    for path in [*NOTEBOOKS.rglob("*.ipynb")]:
        cells = nbformat.read(path, 4).cells
        found[path] = "\n\n".join(each.source for each in cells if each.cell_type == "markdown")
    return found


@pytest.mark.parametrize("path", texts(), ids=lambda path: path.stem)
def test_links(path):
    """Each file that the README or a notebook links to exists."""
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", texts()[path]):
        assert (path.parent / target).exists(), target


def test_rules_have_modules():
    """Each quirk that the guide to the rules names has a module in the conformance corpus."""
    numbers = re.findall(r"\(([xum]\d\d)\)", texts()[GUIDE / "20-rules.ipynb"])
    assert numbers
    for number in numbers:
        assert list((ROOT / "tests" / "conformance" / "modules").glob(f"test_{number}_*.py"))


# --- the README ---


def sections() -> dict[str, str]:
    """The README's sections, by their headings."""
    parts = re.split(r"(?m)^## (.+)$", README)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)\n```$", text)


def without_times(text: str) -> list[str]:
    """The lines of `text`, without what differs from run to run."""
    text = re.sub(r"\d+\.\d\d ?s\b|\b\d+ ms\b", "TIME", text)
    lines = [re.sub(r"={3,}|_{3,}", "===", line).strip() for line in text.splitlines()]
    return [line for line in lines if line]


def test_readme_is_one_page():
    """The README has 200 lines at the most."""
    assert len(README.splitlines()) <= 200


def test_readme_and_quickstart_agree():
    """The README's example is quickstart.ipynb, cell by cell."""
    cells = nbformat.read(NOTEBOOKS / "quickstart.ipynb", 4).cells
    code = [each.source for each in cells if each.cell_type == "code"]
    assert blocks(sections()["The first notebook"], "python") == code


@pytest.mark.parametrize("block", blocks(README, "console"), ids=lambda block: block.split("\n")[0])
def test_readme_output(block, tmp_path):
    """What the README shows below a command is what the command prints."""
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command, _, shown = block.partition("\n")
    words = command.removeprefix("$ nbxunit run ").split()
    assert without_times(_run(*words, cwd=tmp_path).stdout) == without_times(shown)


def test_readme_magics():
    """The README's table of commands names each magic that the extension registers but three."""
    source = """\
%load_ext nbxunit
kinds = get_ipython().magics_manager.magics.values()
print(*sorted(name for kind in kinds for name in kind if name.startswith("xunit")))"""
    notebook = new_notebook(cells=[new_code_cell(source)], metadata=METADATA)
    NotebookClient(notebook, timeout=TIMEOUT).execute()
    table = set(re.findall(r"`%%?(xunit_\w+)", sections()["Ten commands"]))
    guide = set(re.findall(r"`%%?(xunit_\w+)", texts()[GUIDE / "01-inline.ipynb"]))
    assert table < set(text_of(notebook.cells[0]).split()) <= table | guide
