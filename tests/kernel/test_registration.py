"""Registration by cell: what the kernel makes of each thing that a person does to cells."""

from __future__ import annotations

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
