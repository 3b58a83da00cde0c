"""What a cell with a magic of ours declares: checked, and taken up in the registry.

May import IPython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from nbxunit import directives
from nbxunit.directives import Directive, Kind
from nbxunit.kernel.cells import source
from nbxunit.kernel.compat import ipython

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.inline.live import LiveNotebook


def declare(live: LiveNotebook, kind: Kind, line: str, cell: str) -> Directive | None:
    """Register what the cell says; None if it is a cell of another notebook, which this one runs.

    UsageError or SyntaxError, and nothing registered, if it makes no sense.
    """
    notebook = live.notebook
    running = notebook.cell
    found = directives.find(running.source)
    if found is None or found[0] != kind or not running.source.rstrip().endswith(cell.rstrip()):
        if _is_of_another(notebook):
            live.note(f"%%xunit_{kind} {line.strip()}: left out, since it is of another notebook")
            return None
        first = running.source.strip().partition("\n")[0]
        message = (
            f"%%xunit_{kind} must be the first line of its cell, which begins with: {first}; "
            "a second magic can stand on the line below"
        )
        # The magic above may swallow what is raised (%%time of IPython 8 shows it and goes on).
        notebook.registry.refused[running.key] = message
        raise UsageError(message)
    try:
        directive = directives.parse(kind, line)
    except directives.DirectiveError as exc:
        raise UsageError(f"%%xunit_{kind}: {exc}") from None
    _check_marks(notebook, directive)
    declaration = source.declare(
        notebook.shell, running, directive, found[2], rewrites=notebook.patterns.rewrites
    )
    if not notebook.headless and kind == "test":
        _replace(live, directive)
    elif not notebook.headless:
        for other in notebook.registry.hooks(kind, directive.scope):
            if other.directive.path == directive.path:
                live.note(f"{directive.label}: that of [{other.cell.number}] still runs, too")
    notebook.registry.declare(declaration, list(notebook.namespace))
    return directive


def _is_of_another(notebook: Notebook) -> bool:
    """Whether the magic is called by a notebook that the cell runs, by %run or as a module."""
    caller = ipython.caller_of_magic()
    if caller is None:
        return False
    cell = notebook.cell_of_file(caller.f_code.co_filename)
    if cell is not None and cell.key == notebook.cell.key:
        return False
    file = caller.f_globals.get("__file__")
    if file is None:  # import_ipynb says none
        return caller.f_globals is not vars(notebook.shell.user_module)
    return str(file).endswith(".ipynb")


def _check_marks(notebook: Notebook, directive: Directive) -> None:
    import pytest

    namespace = {**notebook.namespace, "pytest": pytest}
    for mark in directive.marks:
        try:
            eval(f"pytest.mark.{mark}", namespace)  # noqa: S307 - the user's own code
        except (Exception, pytest.fail.Exception) as exc:
            raise UsageError(f"%%xunit_test: --mark {mark}: {type(exc).__name__}: {exc}") from exc


def _replace(live: LiveNotebook, directive: Directive) -> None:
    registry = live.notebook.registry
    for test in registry.tests():
        if test.directive.target == directive.target:
            registry.discard(test)
            live.note_replaced(test)
    if not directive.path:
        for cell in registry.definers(directive.name):
            live.note(f"{directive.label}: replaces the function of [{cell.number}]")


def when(directive: Directive) -> str:
    """When a hook runs, in words."""
    opens = directive.kind == "setup"
    if directive.scope in ("module", "class"):
        what = "all tests" if directive.scope == "module" else f"the tests of {directive.target}"
        return f"runs once, {'before' if opens else 'after'} {what}"
    what = f"each test of {directive.target}" if directive.path else "each test that is in no class"
    return f"runs {'before' if opens else 'after'} {what}"
