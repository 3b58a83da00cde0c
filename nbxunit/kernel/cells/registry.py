"""What the cells of a notebook have declared: hooks, tests, and who defined which name.

Imports neither IPython nor pytest. Registrations belong to the cell that made them, so running a
cell again replaces what it said before.
"""

from __future__ import annotations

import dataclasses
import itertools
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from nbxunit.directives import Directive, Kind, Scope
from nbxunit.kernel.cells.kept import KeptTests

_Made: TypeAlias = dict[str, Callable[[], object]]
"""What cells have defined, by name; it is not kept alive."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell as it ran: `number` is what a person sees, `[3]`; `filename` that of its code.

    `id` is what the front end's links go to, empty where it sends none. `notebook` is what reports call the
    notebook where it is not the one that runs, but one that a companion executes; where that is text,
    `first_line` is the line of its file in which the cell begins, else 0.
    """

    key: str
    number: int
    source: str
    filename: str
    id: str = ""
    notebook: str = ""
    first_line: int = 0

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"cell {self.number}" if self.number else "injected parameters"


class Doubt(NamedTuple):
    """What Python takes as it is, and warns of: where, and what it says."""

    filename: str
    line: int
    message: str


@dataclasses.dataclass(frozen=True)
class Declaration:
    """A hook or test that a cell declares.

    `make` gives a new function of the cell's body. `binds` are the names of the notebook that a
    hook's body binds. `doubts` are what the body says that cannot be meant.
    """

    cell: Cell
    directive: Directive
    make: Callable[[], Callable[..., object]]
    binds: tuple[str, ...] = ()
    doubts: Sequence[Doubt] = ()


@dataclasses.dataclass(frozen=True)
class HookRun:
    """A hook that ran: `seconds` it took, and whether it passed."""

    hook: Declaration
    seconds: float
    passed: bool


class Registry:
    """The declarations of a notebook's cells, in the notebook's order as far as it is known."""

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.refused: dict[str, str] = {}
        """Why a cell, by its key, could not declare what it was to declare."""
        self._declarations: dict[str, list[Declaration]] = {}
        self._definitions: dict[str, tuple[str, ...]] = {}
        self._definers: dict[str, list[str]] | None = None
        self._made: dict[str, _Made] = {}
        self._left: _Made = {}
        self.kept = KeptTests()
        self._doubts: dict[str, list[Doubt]] = {}
        self._suspended: set[str] = set()
        self._untold: set[str] = set()
        self._places: dict[str, int] = {}
        self._name_places: dict[str, int] = {}
        self._next_place = itertools.count()
        self._executes = self._may_have_new_names = True

    def begin(self, cell: Cell, deleted: Iterable[str] = (), *, executes: bool = True) -> None:
        """`cell` is about to run: drop what it had registered, suspend the `deleted` cells.

        A cell that does not execute anything defines no name.
        A front end's list of deleted cells is a hint: it misses merges, and names cells that were
        cut and pasted. So they are suspended, and a cell that runs is revived.
        """
        self._executes = executes
        self._may_have_new_names |= executes
        new = set(deleted) - self._suspended - {cell.key}
        self._suspended |= new
        self._suspended.discard(cell.key)
        self._untold = (self._untold | new) & self._suspended
        self._declarations.pop(cell.key, None)
        self._definitions.pop(cell.key, None)
        self._left.update(self._made.pop(cell.key, {}))
        self.kept.begin(cell.key)
        self._doubts.pop(cell.key, None)
        self._definers = None
        self.refused.pop(cell.key, None)
        self.cells[cell.key] = cell

    def clear(self) -> None:
        """Forget all declarations and definitions; the notebook's order stays."""
        for made in self._made.values():
            self._left.update(made)
        self._made.clear()
        self.kept.clear()
        self._doubts.clear()
        self.cells.clear()
        self.refused.clear()
        self._declarations.clear()
        self._definitions.clear()
        self._definers = None
        self._suspended.clear()
        self._untold.clear()

    def declare(self, declaration: Declaration, namespace: Iterable[str]) -> None:
        """Take a declaration up. Its cell's place is behind the names that are in `namespace`."""
        if self._may_have_new_names:  # looking at all names for each of many cells takes long
            self.note_names(namespace)
            self._may_have_new_names = self._executes
        key = declaration.cell.key
        if key not in self._places:
            self._places[key] = next(self._next_place)
        self._declarations.setdefault(key, []).append(declaration)

    def define(
        self, key: str, names: Sequence[str], namespace: Container[str] | None = None
    ) -> None:
        """The cell `key` defines these functions and classes at its top level, besides others.

        A magic such as %%time compiles parts of a cell on their own, so they come one by one. Those
        of other cells are lost that `namespace` lacks by now.
        """
        if namespace is not None:
            self.kept.take_names(key, names, namespace)
        self._definers = None
        self._definitions[key] = tuple(dict.fromkeys([*self._definitions.get(key, ()), *names]))

    def definitions(self, key: str) -> tuple[str, ...]:
        """The functions and classes that the cell `key` defines."""
        return self._definitions.get(key, ())

    def defined(self, key: str, namespace: Mapping[str, object]) -> None:
        """The cell `key` has run, and `namespace` has what it defined."""
        self._made[key] = {
            name: _reference(namespace[name]) for name in self.definitions(key) if name in namespace
        }

    def keep(self, key: str, namespace: Mapping[str, object], tests: Iterable[str]) -> None:
        """The cell `key` has run and defines these tests: keep them, and note their places."""
        if self.kept.keep(key, {name: namespace[name] for name in tests if name in namespace}):
            self._note_new_names(namespace)

    def _note_new_names(self, namespace: Mapping[str, object]) -> None:
        """Give places to the names behind the last one that has a place: new ones are at the end."""
        new = itertools.takewhile(
            lambda name: name not in self._name_places, reversed([*namespace])
        )
        for name in [*new][::-1]:
            self._name_places[name] = next(self._next_place)

    def swept(self, namespace: Container[str]) -> dict[str, object]:
        """The tests that `namespace` lacks, although no cell has deleted them by name."""
        return self.kept.swept(namespace, self._suspended)

    def lost(self) -> Iterator[tuple[str, Cell, Cell]]:
        """The tests that were swept away before another cell took their name, and both cells."""
        for name, keys in self.kept.lost.items():
            if not self._suspended.intersection(keys):
                yield name, self.cells[keys[0]], self.cells[keys[1]]

    def doubt(self, key: str, doubts: Iterable[Doubt]) -> None:
        """The cell `key`, an ordinary one, says what cannot be meant."""
        self._doubts.setdefault(key, []).extend(doubts)

    def doubts(self) -> Iterator[tuple[Cell, Doubt]]:
        """What cells say that cannot be meant."""
        for key, doubts in self._doubts.items():
            if key not in self._suspended:
                yield from ((self.cells[key], doubt) for doubt in doubts)
        for declaration in self._active():
            yield from ((declaration.cell, doubt) for doubt in declaration.doubts)

    def is_left(self, name: str, value: object) -> bool:
        """Whether `value` is all that is left of the definition of `name`.

        The cell was deleted, or was edited and ran again, while the name lives on in the kernel.
        """
        made = [self._left, *(self._made.get(key, {}) for key in self._suspended)]
        is_ours = any(name in each and each[name]() is value for each in made)
        return is_ours and not self.definers(name)

    def discard(self, declaration: Declaration) -> None:
        """Forget one declaration."""
        self._declarations[declaration.cell.key].remove(declaration)

    def note_names(self, namespace: Iterable[str]) -> None:
        """Names that are seen for the first time get the next places; those that are gone, none.

        As in a module: a name that is defined again keeps its place, unless it was deleted first.
        """
        names = dict.fromkeys(namespace)
        for name in [name for name in self._name_places if name not in names]:
            if not self.kept.has(name):
                del self._name_places[name]
        for name in names:
            if name not in self._name_places:
                self._name_places[name] = next(self._next_place)

    def _active(self) -> Iterator[Declaration]:
        for key in sorted(self._declarations, key=self._places.__getitem__):
            if key not in self._suspended:
                yield from self._declarations[key]

    def hooks(self, kind: Kind | None = None, scope: Scope | None = None) -> list[Declaration]:
        """The hooks of a kind and scope (None: of any), in notebook order."""
        return [
            declaration
            for declaration in self._active()
            if declaration.directive.scope is not None
            and kind in (None, declaration.directive.kind)
            and scope in (None, declaration.directive.scope)
        ]

    def tests(self) -> list[Declaration]:
        """The tests, in notebook order."""
        return [
            declaration for declaration in self._active() if declaration.directive.kind == "test"
        ]

    def places(self) -> Mapping[str, int]:
        """Where each top-level function, class and test stands in the notebook, by its name."""
        places = dict(self._name_places)
        for test in self.tests():
            name = test.directive.target.partition("::")[0]
            place = self._places[test.cell.key]
            places[name] = min(place, places.get(name, place))
        return places

    def take_left_out(self) -> list[Cell]:
        """The suspended cells whose tests are left out because of that, each once."""
        untold, self._untold = self._untold, set()
        return [self.cells[key] for key in untold & set(self.cells) if self._has_tests(key)]

    def _has_tests(self, key: str) -> bool:
        declared = any(each.directive.kind == "test" for each in self._declarations.get(key, ()))
        names = self._definitions.get(key, ())
        return declared or any(name.startswith(("test", "Test")) for name in names)

    def definers(self, name: str) -> list[Cell]:
        """The cells that define the top-level function or class `name`, as `def` or `class`."""
        if self._definers is None:
            self._definers = {}
            for key, names in self._definitions.items():
                for each in names:
                    self._definers.setdefault(each, []).append(key)
        return [
            self.cells[key] for key in self._definers.get(name, ()) if key not in self._suspended
        ]

    def hook_cells_of_name(self, name: str) -> list[Declaration]:
        """The hooks whose body binds `name`."""
        return [hook for hook in self.hooks() if name in hook.binds]

    def defined_names(self) -> list[str]:
        """The functions and classes that cells define at their top level."""
        active = (self._definitions[key] for key in self._definitions if key not in self._suspended)
        return list(dict.fromkeys(name for names in active for name in names))


def _reference(value: object) -> Callable[[], object]:
    try:
        return weakref.ref(value)
    except TypeError:  # it cannot be known again
        return lambda: None
