"""What cells have declared: order, re-registration, suspension."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import directives
from nbxunit.kernel.cells.registry import Cell, Declaration, Registry


def cell(key, number=1):
    return Cell(key, number, "", f"<{key}>")


def declare(registry, key, kind, line, **more):
    binds, namespace = more.get("binds", ()), more.get("namespace", ())
    declaration = Declaration(cell(key), directives.parse(kind, line), lambda: print, binds)
    registry.begin(declaration.cell)
    registry.declare(declaration, namespace)
    return declaration


def targets(registry):
    return [test.directive.target for test in registry.tests()]


@pytest.fixture
def registry():
    return Registry()


def test_tests_are_in_the_order_of_their_first_run(registry):
    """A cell that runs again keeps its place."""
    declare(registry, "a", "test", "test_a")
    declare(registry, "b", "test", "test_b")
    declare(registry, "a", "test", "test_renamed")
    assert targets(registry) == ["test_renamed", "test_b"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["test_x", "test_y"]))))
def test_registering_again_is_idempotent(steps):
    """Replaying the last declaration of each cell changes nothing."""
    registry = Registry()
    for key, name in steps:
        declare(registry, key, "test", name)
    before = targets(registry)
    for key, name in dict(steps).items():
        declare(registry, key, "test", name)
    assert targets(registry) == before


def test_a_cell_without_its_line_unregisters(registry):
    """A cell that runs again and declares nothing has nothing registered."""
    declare(registry, "a", "test", "test_a")
    registry.begin(cell("a"))
    assert targets(registry) == []


def test_deleted_cells_are_suspended_and_revived(registry):
    """A cell that is said to be deleted counts no more, until it runs."""
    declare(registry, "a", "test", "test_a")
    registry.define("a", ["test_f"])
    registry.begin(cell("b"), ["a", "b"])
    assert targets(registry) == []
    assert registry.definers("test_f") == []
    declare(registry, "a", "test", "test_a")
    assert targets(registry) == ["test_a"]


def test_hooks_by_kind_and_scope(registry):
    """Hooks are found by kind and scope, in notebook order."""
    one = declare(registry, "a", "setup", "module")
    two = declare(registry, "b", "teardown", "module")
    three = declare(registry, "c", "setup", "class A")
    assert registry.hooks() == [one, two, three]
    assert registry.hooks("setup") == [one, three]
    assert registry.hooks("setup", "class") == [three]


def test_places_mix_cells_and_names(registry):
    """A name that a cell saw in the notebook stands before that cell."""
    declare(registry, "a", "test", "test_a", namespace=["early"])
    registry.note_names(["early", "late"])
    places = registry.places()
    assert places["early"] < places["test_a"] < places["late"]
    assert "unknown" not in places


def test_definitions_of_a_cell_add_up_until_it_runs_again(registry):
    """What a cell defines comes in parts, and goes with the next run of the cell."""
    registry.begin(cell("a"))
    registry.define("a", ["f"])
    registry.define("a", ["g", "f"])
    assert registry.defined_names() == ["f", "g"]
    registry.begin(cell("a"))
    assert registry.defined_names() == []


def test_hook_cells_of_a_name(registry):
    """The hooks that bind a name are known."""
    hook = declare(registry, "a", "setup", "module", binds=("db",))
    assert registry.hook_cells_of_name("db") == [hook]
    assert registry.hook_cells_of_name("other") == []


def test_clear_forgets_all_but_the_order(registry):
    """After a clear nothing is registered, and cells come back to their places."""
    declare(registry, "a", "test", "test_a")
    declare(registry, "b", "test", "test_b")
    registry.clear()
    assert targets(registry) == []
    declare(registry, "b", "test", "test_b")
    declare(registry, "a", "test", "test_a")
    assert targets(registry) == ["test_a", "test_b"]


def test_a_deleted_name_loses_its_place(registry):
    """A name that is defined again stands where it stood, unless it was gone in between."""
    registry.note_names(["first", "second"])
    registry.note_names(["second", "first"])
    assert registry.places()["first"] < registry.places()["second"]
    registry.note_names(["second"])
    registry.note_names(["second", "first"])
    assert registry.places()["first"] > registry.places()["second"]
