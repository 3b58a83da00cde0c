"""Registration by cell: what the kernel makes of each thing that a person does to cells."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def kernel(shared):
    shared.run("%xunit_reset", "reset")
    return shared


def test_cell(name):
    return f"%%xunit_test {name}\npass"


test_cell.__test__ = False  # type: ignore[attr-defined]


def listed(kernel):
    """The tests that are registered, as `%xunit_list` names them."""
    text = kernel.run("%xunit_list", "list").text
    return [line.rpartition("test ")[2] for line in text.splitlines() if "] test " in line]


def test_rerun(kernel):
    """A cell that runs again replaces what it had registered, at its place."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run(test_cell("test_b"), "B")
    kernel.run(test_cell("test_renamed"), "A")
    assert listed(kernel) == ["test_renamed", "test_b"]


def test_delete(kernel):
    """A deleted cell's test is gone with the next run of any cell."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run(test_cell("test_b"), "B")
    kernel.run("x = 1", "C", deleted=["A"])
    assert listed(kernel) == ["test_b"]


def test_delete_and_undo(kernel):
    """A cell that came back after its deletion counts again when it runs."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run("x = 1", "C", deleted=["A"])
    kernel.run(test_cell("test_a"), "A")
    assert listed(kernel) == ["test_a"]


def test_cut_and_paste(kernel):
    """A pasted cell keeps its id, is called deleted in its own request, and counts."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run(test_cell("test_a"), "A", deleted=["A"])
    assert listed(kernel) == ["test_a"]


def test_copy_and_paste(kernel):
    """A copy has a new id; its test replaces the one it was copied from, and says so."""
    kernel.run(test_cell("test_a"), "A")
    reply = kernel.run(test_cell("test_a"), "A2")
    assert "replaces that of" in reply.text
    assert listed(kernel) == ["test_a"]


def test_split(kernel):
    """After a split the upper part has a new id and the test; the lower one keeps the old id."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run("%%xunit_test test_a\nx = 1", "upper")
    kernel.run("x = 2", "A")
    assert listed(kernel) == ["test_a"]


def test_split_lower_part_first(kernel):
    """The order in which the parts of a split run does not matter."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run("x = 2", "A")
    assert listed(kernel) == []
    kernel.run("%%xunit_test test_a\nx = 1", "upper")
    assert listed(kernel) == ["test_a"]


def test_undo_of_a_split(kernel):
    """The id that an undone split leaves behind is never reported; the living cell wins."""
    kernel.run("%%xunit_test test_a\nx = 1", "upper")
    kernel.run("x = 2", "A")
    reply = kernel.run("%%xunit_test test_a\nx = 1\nx = 2", "A")
    assert "replaces that of" in reply.text
    assert listed(kernel) == ["test_a"]


def test_merge(kernel):
    """The ids that a merge removes are never reported; a test that the merged cell names is its."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run("x = 1", "B")
    kernel.run("%%xunit_test test_a\nx = 1", "merged")
    assert listed(kernel) == ["test_a"]


def test_lost_line(kernel):
    """A cell that lost its %% line and runs has no test any more."""
    kernel.run(test_cell("test_a"), "A")
    kernel.run("pass", "A")
    assert listed(kernel) == []


def test_a_cell_that_no_longer_compiles(kernel):
    """A cell whose new body is refused has no test; the old one would be a false green."""
    kernel.run(test_cell("test_a"), "A")
    reply = kernel.run("%%xunit_test test_a\nyield 1", "A")
    assert reply.error == "SyntaxError"
    assert listed(kernel) == []


def test_hooks_follow_the_same_rules(kernel):
    """A hook cell that changes its scope has one hook, the new one."""
    kernel.run("%%xunit_setup module\npass", "H")
    kernel.run("%%xunit_setup class TestA\npass", "H")
    text = kernel.run("%xunit_list", "list").text
    assert "class setup of TestA" in text
    assert "module setup" not in text


def test_without_ids(kernel):
    """Where a front end sends no ids, a cell is known by its text."""
    kernel.run(test_cell("test_a"))
    kernel.run(test_cell("test_a"))
    assert listed(kernel) == ["test_a"]


def test_a_function_replaces_a_test_cell(kernel):
    """The newest of a test cell and a function of one name is the test."""
    kernel.run(test_cell("test_a"), "A")
    reply = kernel.run("def test_a(): pass", "F")
    assert "replaces that of" in reply.text
    assert listed(kernel) == ["test_a"]
    assert '<a href="#cell-id=F">' in kernel.run("%xunit_list", "list").html
    kernel.run("del test_a", "D")


def test_a_function_that_no_cell_defines_any_more(kernel):
    """A test function or class that its cell has lost lives on in the kernel, and is no test."""
    kernel.run("def test_old(): pass\nclass TestOld:\n    def test_m(self): pass", "A")
    assert listed(kernel) == ["test_old", "TestOld::test_m"]
    kernel.run("def test_new(): pass", "A")
    assert listed(kernel) == ["test_new"]
    assert "1 passed" in kernel.run("%xunit_run", "R").text
    assert not kernel.run("test_old()", "look").error
    kernel.run("del test_old, TestOld, test_new", "D")


def test_functions_of_a_deleted_cell(kernel):
    """They are no tests until the cell runs again; the next run says that they are left out, once."""
    kernel.run("def test_cut(): pass", "A")
    kernel.run("def test_kept(): pass", "B")
    kernel.run("x = 1", "C", deleted=["A"])
    assert listed(kernel) == ["test_kept"]
    reply = kernel.run("%xunit_run", "R")
    assert re.search(r"left out: the tests of \[\d+\], which was deleted or cut", reply.text)
    assert "1 passed" in reply.text
    assert "left out" not in kernel.run("%xunit_run", "R").text
    kernel.run("def test_cut(): pass", "A")
    assert "2 passed" in kernel.run("%xunit_run", "R").text
    kernel.run("del test_cut, test_kept", "D")


def test_the_same_function_elsewhere(kernel):
    """A function that another cell defines, or a name that was bound otherwise, stays a test."""
    kernel.run("def test_a(): pass", "A")
    kernel.run("def test_a(): pass", "B")
    kernel.run("x = 1", "A")
    assert "1 passed" in kernel.run("%xunit_run", "R").text
    kernel.run("test_a = lambda: None", "B")
    assert "1 passed" in kernel.run("%xunit_run", "R").text
    kernel.run("del test_a", "D")


def test_hooks_and_fixtures_that_no_cell_defines_any_more(kernel):
    """A Python hook or autouse fixture that its cell has lost does not run; the names stay."""
    kernel.run("log = []\ndef test_a(): pass", "T")
    kernel.run(
        "import pytest\ndef setup_module(): log.append('setup')\n"
        "@pytest.fixture(autouse=True)\ndef always(): log.append('fixture')",
        "H",
    )
    kernel.run("%xunit_run", "R")
    assert kernel.run("log", "look").text.strip() == "['setup', 'fixture']"
    kernel.run("log.clear()", "H")
    kernel.run("%xunit_run", "R")
    assert kernel.run("log", "look").text.strip() == "[]"
    assert not kernel.run("setup_module, always", "look").error
    kernel.run("del setup_module, always, test_a", "D")


def test_classes_are_listed_whole(kernel):
    """The tree has inherited and nested tests, a TestCase's in unittest's order."""
    kernel.run(
        "import unittest\nclass Base:\n    def test_b(self): pass\n"
        "class TestA(Base):\n    def test_a(self): pass\n"
        "    class TestInner:\n        def test_i(self): pass\n"
        "class Case(unittest.TestCase):\n    def test_z(self): pass\n    def test_y(self): pass",
        "T",
    )
    assert listed(kernel) == [
        "TestA::test_b", "TestA::test_a", "TestA::TestInner::test_i", "Case::test_y", "Case::test_z",
    ]  # fmt: skip
    kernel.run("del Base, TestA, Case", "D")


def test_a_run_of_some_sees_all(kernel):
    """A run of one test cell knows the others: as names, in messages, and in the next full run."""
    assert not kernel.run(
        "%%xunit_test test_a(n) --mark \"parametrize('n', [1, 2])\"\nassert n", "A"
    ).error
    assert not kernel.run("%%xunit_test test_b\ntest_a(1)", "B").error
    missing = kernel.run("%xunit_run test_b test_c", "run")
    assert "test_a" in missing.text
    assert "test_c" in missing.text
    assert "1 passed" in kernel.run("%xunit_run test_a[2]", "run").text
    assert "2 passed" in kernel.run("%xunit_run test_b test_a[1]", "run").text
    assert "3 passed" in kernel.run("%xunit_run", "run").text
    kernel.run("def load_tests(loader, tests, pattern): return tests", "L")
    assert "1 passed" in kernel.run("%xunit_run test_b", "run").text
