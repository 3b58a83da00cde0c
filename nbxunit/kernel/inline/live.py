"""What a live notebook remembers between its runs: settings, outcomes, the open scope, what is to be said.

Imports no pytest. The magics and their actions are handed a `LiveNotebook`; the rest of the kernel's side
does not know it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nbxunit.kernel.compat import ipython
from nbxunit.kernel.run.state import RunState

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.cells.registry import Declaration
    from nbxunit.kernel.inline.open_scope import Opened
    from nbxunit.kernel.results.outline import LastRun


RAISES = ("cells", "run", "off")
_FLAGS = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}  # fmt: skip  # noqa: E501


@dataclasses.dataclass
class Settings:
    """What `%xunit_config` sets.

    `raise_on_failure` says what raises where a test fails: test `cells` too, only a `run` of several,
    or nothing (`off`). It is empty until somebody sets it.
    """

    run_cells: bool = True
    raise_on_failure: str = ""

    def set(self, name: str, value: str) -> None:
        """Take a setting as a person writes it. ValueError, which says what there is, for no such."""
        flag = _FLAGS.get(value.lower())
        if name == "run_cells" and flag is not None:
            self.run_cells = flag
        elif name == "raise_on_failure" and value.lower() in RAISES:
            self.raise_on_failure = value.lower()
        elif name == "raise_on_failure" and flag is not None:
            self.raise_on_failure = "cells" if flag else "off"
        else:
            known = ", ".join(f"{name}={'|'.join(values)}" for name, values in CHOICES.items())
            raise ValueError(f"{name}={value} is not one of {known}")


CHOICES = {"run_cells": ("True", "False"), "raise_on_failure": RAISES}
"""The settings, and what each takes."""


class LiveNotebook:
    """A notebook that a person works in.

    `last_runs` says what became of each test, `opened` is the scope that is kept open, `run` what is
    known of the last run, or of the one that is under way.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.settings = Settings()
        self.last_runs: dict[str, LastRun] = {}
        self.opened: Opened | None = None
        self.run = RunState(notebook.namespace, keeps_names=True)
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Say `text`, of the form `head: rest`, with the results of this cell, or at its end."""
        self._notes.append(text)

    def take_notes(self) -> list[str]:
        """What is to be said, once."""
        notes, self._notes = self._notes, []
        return notes

    def defined(self, names: list[str]) -> None:
        """The cell that is running defines these functions and classes."""
        for test in self.notebook.defined(names):
            self.note_replaced(test)

    def note_tests(self) -> None:
        """Say which tests the cell that has run defines, as functions and classes."""
        notebook = self.notebook
        names = notebook.registry.definitions(notebook.cell.key)
        tests = notebook.patterns.tests_among(names, notebook.namespace) if names else ()
        if tests:
            self.note(f"{', '.join(tests)}: registered; %xunit_run runs all tests")

    def note_replaced(self, test: Declaration) -> None:
        """Say that a test cell is no test any more, since another one has its name."""
        self.note(f"{test.directive.label}: replaces that of [{test.cell.number}]")

    @property
    def is_a_persons(self) -> bool:
        """Whether a person's front end runs the cell, and no nbclient or papermill."""
        return bool(ipython.told_cell_id(ipython.execute_metadata(self.notebook.shell)))

    @property
    def raises(self) -> str:
        """What raises where a test fails, as `Settings.raise_on_failure` says it.

        Under nbclient and its kin a notebook must fail; a person's "Run All" goes on past a test cell.
        """
        return self.settings.raise_on_failure or ("run" if self.is_a_persons else "cells")

    def reset(self) -> None:
        """Forget all that cells have declared, and the names that a failed run left."""
        self.last_runs.clear()
        self.run.forget_left_names()
        self.notebook.reset()
