"""The import rules of DESIGN: folder = process, and private names in one module a side."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbxunit

PACKAGE = Path(nbxunit.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
SHARED = ("protocol.py", "directives.py", "limits.py")
HEAVY = ("nbformat", "nbclient", "jupyter_client", "IPython", "ipykernel", "greenlet", "zmq")


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    """The modules that a file imports, those for type checkers left out."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    nodes = tree.body if top_level else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not used"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def uses(path: Path, *modules: str) -> set[str]:
    return {
        imported
        for imported in imports(path)
        if any(imported == module or imported.startswith(f"{module}.") for module in modules)
    }


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernel").glob("*.py")), ids=name)
def test_kernel_side_knows_nothing_of_the_host(path):
    """No module of the kernel imports the host, nbclient, nbformat or jupyter_client."""
    assert not uses(path, "nbxunit.host", "nbclient", "nbformat", "jupyter_client")


@pytest.mark.parametrize("path", sorted((PACKAGE / "host").glob("*.py")), ids=name)
def test_host_side_knows_nothing_of_the_kernel(path):
    """No module of the host imports the kernel's side, IPython or ipykernel."""
    assert not uses(path, "nbxunit.kernel", "IPython", "ipykernel")


@pytest.mark.parametrize("file", SHARED)
def test_shared_modules_import_the_standard_library_only(file):
    """What both sides share imports the standard library and nothing else."""
    roots = {module.partition(".")[0] for module in imports(PACKAGE / file)}
    assert roots <= set(sys.stdlib_module_names) | {"__future__"}


@pytest.mark.parametrize(
    ("module", "files"),
    [
        ("nbformat", ["host/notebooks.py"]),
        ("nbclient", ["host/cells.py"]),
        ("jupyter_client", ["host/client.py", "host/kernels.py"]),
    ],
)
def test_a_library_has_its_users(module, files):
    """Nbformat and nbclient are each imported by one module, jupyter_client by two."""
    assert [name(path) for path in FILES if uses(path, module)] == files


@pytest.mark.parametrize("path", FILES, ids=name)
def test_private_names_of_pytest_stand_in_compat(path):
    """Only the `compat` modules import `_pytest`, one in the host and two in the kernel."""
    assert path.name in ("compat.py", "nodecompat.py") or not uses(path, "_pytest")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_modules_say_what_belongs_in_them(path):
    """Every module has a docstring, and is no longer than 400 lines."""
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= 400


def test_there_is_no_import_cycle():
    """No module imports itself by way of others, imports for type checkers left out."""
    modules = {
        ".".join(("nbxunit", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in FILES
    }
    graph = {
        module: {other for other in modules if other in imports(path, top_level=True)} - {module}
        for module, path in modules.items()
    }

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for other in graph[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        return seen

    assert [module for module in graph if module in reachable(module)] == []


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
