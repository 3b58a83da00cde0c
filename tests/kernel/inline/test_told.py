"""What cells tell a person: once, in one line, and what to do."""

from __future__ import annotations

import json

import live
import pytest


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A kernel whose test cells run, in a folder with a saved notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    sources = {"a": "%%xunit_test test_a\npass", "b": "# xunit: test test_b\npass", "c": "x = 1"}
    cells = [
        {"cell_type": "code", "id": key, "source": source, "metadata": {}, "outputs": []}
        for key, source in sources.items()
    ]
    (folder / "notebook.ipynb").write_text(json.dumps({"cells": cells}))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow: takes long\n")
    with live.started(folder, loaded=False) as kernel:
        kernel.run("%load_ext nbxunit")
        yield kernel


@pytest.fixture
def kernel(started):
    """That kernel without registrations and names."""
    started.run("%reset -f")
    started.run("%xunit_reset")
    return started


def test_after_a_restart(kernel):
    """Where no test cell has run, `%xunit_run` says so, and how many the saved notebook has."""
    said = "no test cell has run in this kernel yet; the saved notebook has 2 test cells"
    assert said in kernel.run("%xunit_run", "run").text
    kernel.run("%%xunit_test test_a\npass", "a")
    assert said not in kernel.run("%xunit_run", "run").text


def test_a_cell_with_test_functions(kernel):
    """A cell that defines tests says that they are registered; any other cell says nothing."""
    said = kernel.run("def test_a(): pass\ndef helper(): pass\nclass TestB: pass", "a").texts
    assert said == ["test_a, TestB: registered; %xunit_run runs all tests"]
    assert kernel.run("def helper(): pass", "b").texts == []
    assert kernel.run("def test_a(): pass\n1 / 0", "a").error == "ZeroDivisionError"
    assert "registered" not in kernel.run("x = 1", "c").text


@pytest.mark.parametrize("scope", ["module", "class TestA", "method TestA", "function"])
def test_a_second_setup_cell(kernel, scope):
    """A second setup cell of a scope says that the other one still runs; the same cell does not."""
    kernel.run(f"%%xunit_setup {scope}\nx = 1", "a")
    assert "still runs" not in kernel.run(f"%%xunit_setup {scope}\nx = 2", "a").text
    assert "still runs, too" in kernel.run(f"%%xunit_setup {scope}\ny = 1", "b").text
    assert "still runs" not in kernel.run(f"%%xunit_teardown {scope}\ny = 1", "c").text


def test_hook_cells_do_not_echo(kernel):
    """The last expression of a hook cell is not shown; that of a test cell is, unfolded."""
    kernel.run("%%xunit_setup\nx = 'echo of the hook'\nx", "a")
    reply = kernel.run("%%xunit_test test_a\n'shown ' + 'by the test'", "b")
    assert "echo of the hook" not in reply.html
    assert "shown by the test" in reply.html
    assert '<details class="cap" open><summary class="dim s">1 display' in reply.html


def test_reprs_are_whole(kernel):
    """The repr of what nbxunit's own fixtures are handed is not cut in its middle."""
    kernel.run("%%xunit_setup module(request)\nassert request is None", "a")
    text = kernel.run("%%xunit_test test_a\npass", "b").text
    assert "SubRequest '' for" in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%xunit_run --l", "--lf"),
        ("%%xunit_test test_a(tmp_", "tmp_path"),
        ("%%xunit_test test_a(tmp_path, mon", "monkeypatch"),
        ("%%xunit_test test_a(own", "own_fixture"),
        ("%%xunit_setup module(req", "request"),
        ("%%xunit_test test_a --mark x", "xfail"),
        ("%%xunit_test test_a --mark sl", "slow"),
        ("# xunit: te", "test"),
        ("# xunit: setup mo", "module"),
        ("#xunit: test test_a --mark sk", "skipif"),
        ("# xunit: test test_a(cap", "capsys"),
        ("%xunit_config raise", "raise_on_failure=run"),
    ],
)
def test_completion(kernel, text, found):
    """Tab offers options, fixtures, marks, and the same for comments."""
    kernel.run("import pytest\n@pytest.fixture\ndef own_fixture(): pass", "a")
    assert found in kernel.complete(text)


def test_completion_offers_only_ours(kernel):
    """Behind a magic of ours, names of Python are not offered besides."""
    assert kernel.complete("%%xunit_test test_a --mark ski") == ["skip", "skipif"]
    assert "print" in kernel.complete("pri")


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("%%xunit_setup modul\npass", "module"),
        ("%%xunit_test test_b(tmp_pth)\nassert 1", "tmp_path"),
        ("%xunit_run tets_a", "test_a"),
    ],
)
def test_did_you_mean(kernel, source, meant):
    """A scope, fixture or test that does not exist is answered with the one that is meant."""
    kernel.run("%%xunit_test test_a\nassert 1", "a")
    assert f"did you mean {meant}?" in kernel.run(source, "b").text


def test_imported_function_whose_name_begins_with_test(kernel):
    """A function of a library that pytest takes for a test is named as that, and how to leave it out."""
    kernel.run(
        "import sys, types\nsys.modules['lib'] = lib = types.ModuleType('lib')\n"
        "exec('def test_eq(a, b): assert a == b', lib.__dict__)\nfrom lib import *",
        "a",
    )
    hint = "hint: this function is imported from lib"
    assert hint in kernel.run("%xunit_run", "b").text
    kernel.run("def test_eq(a, b): assert a == b", "c")
    text = kernel.run("%xunit_run", "b").text
    assert "fixture 'a' not found" in text
    assert hint not in text


@pytest.mark.parametrize("change", ["df['b'] = 1", "df.loc[0, 'a'] = 9", "array[0, 0] = 9"])
def test_the_state_guard_sees_data_change(kernel, change):
    """`--state-guard` names frames and arrays that a test changes in place, and no others."""
    pytest.importorskip("pandas")
    kernel.run(
        "import numpy as np, pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\narray = np.eye(2)"
    )
    kernel.run(f"%%xunit_test test_a\n{change}", "a")
    kernel.run("df = pd.DataFrame({'a': [1, 2]})\narray = np.eye(2)")
    kernel.run("%%xunit_test test_b\ndf.sum(), array.sum()", "b")
    text = kernel.run("%xunit_run --state-guard", "run").text
    name = change.partition("[")[0].partition(".")[0]
    assert f"state guard: test_a changed {name} in place" in text
    assert "state guard: test_b" not in text


def test_the_hint_under_an_unbound_local(kernel):
    """The way that changes nothing is named before `global`."""
    kernel.run("rows = [1]")
    text = kernel.run("%%xunit_test test_a\nrows = rows + [2]", "a").text
    assert 0 < text.index("use another name, as in `out = rows...`") < text.index("`global rows`")


def test_help(kernel):
    """`%xunit_run --help` is one page of ours."""
    text = kernel.run("%xunit_run --help", "a").text
    assert "--state-guard" in text
    assert "--lf, --ff" in text
    assert len(text.splitlines()) < 40


def test_an_interrupted_test_has_no_outcome(kernel):
    """A test that was interrupted is listed without an outcome, not as passed."""
    kernel.run("%%xunit_test test_long\nraise KeyboardInterrupt", "a")
    listed = kernel.run("%xunit_list", "list").text
    assert "test_long" in listed
    assert "✓" not in listed
