"""The house rules of DESIGN: folder = process, rooms on floors, private names in one room a side."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbxunit

PACKAGE = Path(nbxunit.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(("nbxunit", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in FILES
}
SHARED = (
    "annotation.py",
    "bodies.py",
    "kernel_folder.py",
    "lines.py",
    "text_notebooks.py",
    "protocol.py",
    "frames.py",
    "directives.py",
    "parameters.py",
    "limits.py",
    "originals.py",
    "errors.py",
    "carried.py",
    "transport_warnings.py",
)
HEAVY = ("nbformat", "nbclient", "jupyter_client", "IPython", "ipykernel", "greenlet", "zmq")

FLOORS = {
    "kernel": {
        "headless": {"", "inline", "companion", "run", "results", "lifecycle", "cells", "compat"},
        "": {"inline", "companion", "run", "results", "lifecycle", "cells", "compat"},
        "inline": {"companion", "run", "results", "lifecycle", "cells", "compat"},
        "companion": {"run", "results", "lifecycle", "cells", "compat"},
        "run": {"lifecycle", "cells", "compat"},
        "results": {"cells", "compat"},
        "lifecycle": {"cells", "compat"},
        "cells": {"compat"},
        "compat": set(),
    },
    "check": {"": set()},
    "host": {
        "watching": {"session", "running", "comparing", "kernels", "notebooks"},
        "session": {"running", "comparing", "kernels", "notebooks"},
        "running": {"comparing", "kernels", "notebooks"},
        "comparing": {"notebooks"},
        "kernels": {"notebooks"},
        "notebooks": set(),
    },
}
"""Which rooms a room may import; "" is a module beside the rooms."""
GROUND = (
    "nbxunit.host.compat",
    "nbxunit.host.options",
    "nbxunit.host.records",
    "nbxunit.host.tasks",
)
"""What every room of the host may import."""
DOORS = ("nbxunit.host.cli", "nbxunit.host.plugin")
"""What no room of the host imports; they may import all of it."""
LONGEST = 300
"""Lines of a module that gives no reason for more."""
REASON = "Over 300 lines:"
"""How the first lines of a longer module begin their reason."""


def imports(path: Path) -> set[str]:
    """The modules and names that a file imports, those for type checkers included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not used"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def imported_modules(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    return imports(path) & set(MODULES)


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room(module: str) -> tuple[str, str]:
    """The side that a module is on, and its room there; "" where there is none."""
    _, *folders, _ = module.split(".")
    return (*folders, "", "")[:2]


def uses(path: Path, *modules: str) -> set[str]:
    return {
        imported
        for imported in imports(path)
        if any(imported == module or imported.startswith(f"{module}.") for module in modules)
    }


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernel").rglob("*.py")), ids=name)
def test_kernel_side_knows_nothing_of_the_host(path):
    """No module of the kernel imports the host, nbclient, nbformat or jupyter_client."""
    assert not uses(path, "nbxunit.host", "nbclient", "nbformat", "jupyter_client")


@pytest.mark.parametrize("path", sorted((PACKAGE / "host").rglob("*.py")), ids=name)
def test_host_side_knows_nothing_of_the_kernel(path):
    """No module of the host imports the kernel's side, IPython or ipykernel."""
    assert not uses(path, "nbxunit.kernel", "IPython", "ipykernel")


def test_every_folder_has_its_floor():
    """Each folder of the package stands in the table of floors."""
    folders = {room(module) for module in MODULES if len(module.split(".")) > 3}
    assert folders == {(side, each) for side, rooms in FLOORS.items() for each in rooms if each}


@pytest.mark.parametrize("module", [each for each in MODULES if room(each)[0] in FLOORS])
def test_imports_go_down(module):
    """A module imports its own room and those on the floors below, also for type checkers."""
    side, own = room(module)
    for other in imported_modules(MODULES[module]):
        other_side, theirs = room(other)
        if other_side != side or theirs == own or module in DOORS or other in GROUND:
            continue
        assert other not in DOORS
        assert theirs in FLOORS[side].get(own, set()), f"{module} imports {other}"


def test_there_is_no_import_cycle():
    """No module imports itself by way of others, imports for type checkers included."""
    graph = {module: imported_modules(path) - {module} for module, path in MODULES.items()}

    def reachable(start: str) -> Iterator[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for other in graph[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
                yield other

    assert [module for module in graph if module in reachable(module)] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "check").rglob("*.py")), ids=name)
def test_checks_need_no_kernel_and_no_library(path):
    """What `nbxunit check` is made of imports what both sides share and the standard library."""
    shared = {f"nbxunit.{each[:-3]}" for each in SHARED}
    assert {each for each in imported_modules(path) if room(each)[0] != "check"} <= shared
    roots = {module.partition(".")[0] for module in imports(path)}
    assert roots <= set(sys.stdlib_module_names) | {"__future__", "nbxunit"}


@pytest.mark.parametrize("file", SHARED)
def test_shared_modules_import_the_standard_library_only(file):
    """What both sides share imports the standard library, each other, and the libraries of a text or a format."""
    roots = {module.partition(".")[0] for module in imports(PACKAGE / file)}
    libraries = {"nbxunit", "black", "jupytext", "yaml"}
    assert roots <= set(sys.stdlib_module_names) | {"__future__"} | libraries
    assert imported_modules(PACKAGE / file) <= {f"nbxunit.{each[:-3]}" for each in SHARED}


@pytest.mark.parametrize(
    ("module", "files"),
    [
        ("nbformat", ["host/notebooks/files.py"]),
        ("distributed", ["host/running/connecting.py"]),
        ("nbclient", ["host/running/cells.py", "host/running/widgets.py"]),
        (
            "jupyter_client",
            ["host/kernels/client.py", "host/kernels/kernelspecs.py", "host/kernels/starting.py"],
        ),
    ],
)
def test_a_library_has_its_users(module, files):
    """Nbformat and distributed are imported by one module at run time, nbclient by two, jupyter_client by three."""
    importing = [path for path in FILES if uses(path, module) - {"nbformat.NotebookNode"}]
    assert [name(path) for path in importing if not only_for_types(path, module)] == files


def only_for_types(path: Path, module: str) -> bool:
    """Whether a file imports a library under `TYPE_CHECKING` alone."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    shown = [node for node in ast.walk(tree) if id(node) not in hidden]
    return not any(
        str(each).partition(".")[0] == module
        for node in shown
        for each in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    )


@pytest.mark.parametrize("path", FILES, ids=name)
def test_private_names_of_pytest_stand_in_compat(path):
    """Only the rooms `compat` import `_pytest`, a module on the host and a folder in the kernel."""
    is_compat = path.name == "compat.py" or path.parent.name == "compat"
    assert is_compat or not uses(path, "_pytest")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_modules_say_what_belongs_in_them(path):
    """Every module has a docstring, which gives the reason where it is longer than 300 lines."""
    source = path.read_text()
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring
    assert len(source.splitlines()) <= LONGEST or REASON in docstring


def test_the_plugin_is_light():
    """Pytest's entry point imports none of the heavy libraries, and neither does `import nbxunit`."""
    code = (
        "import sys, nbxunit, nbxunit.host.plugin\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_is_what_is_public():
    """`nbxunit.__all__` names what the package defines, and each of it exists."""
    assert all(hasattr(nbxunit, each) for each in nbxunit.__all__)
    defined = {
        node.name
        for node in ast.parse((PACKAGE / "__init__.py").read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    assert defined <= set(nbxunit.__all__)


def test_the_versions_agree():
    """The package's version is the project's."""
    pyproject = PACKAGE.parent / "pyproject.toml"
    if not pyproject.is_file():
        from importlib.metadata import version

        assert version("nbxunit") == nbxunit.__version__
        return
    found = re.search(r'^version = "(.+)"', pyproject.read_text(), re.MULTILINE)
    assert found
    assert found[1] == nbxunit.__version__
