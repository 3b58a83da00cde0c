"""What to try about an error that a cell has raised, where the notebook's cells tell.

Imports the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbxunit.directives import did_you_mean

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook


def explain_fixture(longrepr: Any, imported_from: str | None) -> None:
    """Let pytest's report of a fixture that does not exist name the one that may be meant.

    Where the test comes from another module, it says how to leave such tests out.
    """
    error, name = getattr(longrepr, "errorstring", None), getattr(longrepr, "argname", None)
    if not isinstance(error, str) or not isinstance(name, str):
        return
    first, *more = error.split("\n")
    if imported_from is not None:
        more.append(
            f"hint: this function is imported from {imported_from}, and pytest takes it for a test; "
            "collect_imported_tests = false in pytest's ini (since 8.4) leaves such functions out"
        )
    known = "\n".join(more).partition("available fixtures: ")[2].partition("\n")[0].split(", ")
    longrepr.errorstring = "\n".join([f"{first}{did_you_mean(name, known)}", *more])


def add(notebook: Notebook, exc: BaseException | None) -> None:
    """Note on an exception what to try about it, once."""
    found = hint(notebook, exc) if exc is not None else None
    if exc is not None and found and found not in getattr(exc, "__notes__", ()):
        exc.add_note(found)


def hint(notebook: Notebook, exc: BaseException) -> str | None:
    """What to try about a name that is missing, if a cell tells."""
    name: Any = getattr(exc, "name", None)
    if isinstance(exc, UnboundLocalError):
        name = name or str(exc).partition("'")[2].partition("'")[0]
        if name in notebook.namespace:
            return (
                f"hint: {name} is a name of the notebook, and a test cell's names are its own; "
                f"use another name, as in `out = {name}...`; "
                f"to change the notebook's, write `global {name}` into the cell"
            )
    elif isinstance(exc, NameError) and name:
        for hook in notebook.registry.hook_cells_of_name(str(name)):
            if name not in notebook.namespace:
                return (
                    f"hint: {name} is bound by the {hook.directive.label} in {hook.cell.label}, "
                    f"so it exists only while that {hook.directive.scope} scope is open"
                )
    elif isinstance(exc, RuntimeError) and str(exc) == "no running event loop":
        return (
            "hint: a cell that awaits runs on the kernel's event loop, any other without a loop; "
            "`await asyncio.sleep(0)` makes it one"
        )
    return None
