"""Which local modules a notebook or module imports, as a static look tells.

Imports the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_IMPORT = re.compile(
    r"^[ \t]*(?:lazy[ \t]+)?(?:from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#;]+)"
    r"|import[ \t]+(?P<modules>[\w., \t]+)|%run[ \t]+(?:-\w+[ \t]+)*(?P<script>\S+\.(?:py|ipynb)))",
    re.MULTILINE,
)


def files_of(path: Path, roots: Iterable[Path]) -> set[Path]:
    """The files that `path` is made of: itself, and the local modules that it imports, and theirs.

    Modules are looked for in its own folder and in `roots`. What is imported by a computed name is not
    seen.
    """
    known: set[Path] = set()
    todo = [path]
    while todo:
        file = todo.pop()
        if file in known:
            continue
        known.add(file)
        todo.extend(_imported(file, [file.parent, path.parent, *roots]))
    return known


def libraries_of(path: Path) -> set[str]:
    """The top names of the modules that a file imports by absolute imports."""
    found: set[str] = set()
    for match in _IMPORT.finditer(_source(path)):
        if match["modules"]:
            found |= {name.split()[0].partition(".")[0] for name in match["modules"].split(",") if name.split()}
        elif match["module"] and not match["dots"]:
            found.add(match["module"].partition(".")[0])
    return found


def _imported(path: Path, roots: list[Path]) -> Iterator[Path]:
    for match in _IMPORT.finditer(_source(path)):
        if match["script"]:
            script = Path(path.parent, match["script"].strip("\"'"))
            yield from [script.resolve()] if script.is_file() else []
        elif match["modules"]:
            for name in match["modules"].split(","):
                yield from _found(name.split()[0] if name.split() else "", roots)
        elif match["dots"]:
            package = path.parents[len(match["dots"]) - 1]
            yield from _from(match["module"], match["names"], [package])
        else:
            yield from _from(match["module"], match["names"], roots)


def _from(module: str, names: str, roots: list[Path]) -> Iterator[Path]:
    yield from _found(module, roots)
    for name in re.findall(r"\w+", re.sub(r"\bas\s+\w+", "", names)):
        yield from _found(f"{module}.{name}" if module else name, roots)


def _found(name: str, roots: list[Path]) -> Iterator[Path]:
    """The files of a module, and of the packages around it, in the first root that has it."""
    parts = [part for part in name.split(".") if part]
    if not parts:
        return
    for root in roots:
        top = root / parts[0]
        if not (top.with_suffix(".py").is_file() or top.is_dir()):
            continue
        for depth in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:depth])
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    yield file.resolve()
        return


def _source(path: Path) -> str:
    """The code in a file; nothing where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix != ".ipynb":
            return text
        cells = json.loads(text)["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (OSError, ValueError, LookupError, TypeError):
        return ""
