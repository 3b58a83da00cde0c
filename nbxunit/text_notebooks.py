"""Text notebooks: jupytext's scripts, MyST and R Markdown, Quarto. A file becomes cells with places here.

Shared by both sides. jupytext is imported when one is read, and yaml, which jupytext needs.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbxunit import lines
from nbxunit.lines import FileCell

MARKDOWN = frozenset((".md", ".markdown", ".myst", ".mystnb", ".mnb", ".Rmd", ".qmd"))
SCRIPT = ".py"
SUFFIXES = MARKDOWN | {SCRIPT}
_SCRIPT_HEADER = re.compile(
    r"(?:#(?![ \t]*---).*\n|[ \t]*\n)*#[ \t]*---\n(?P<yaml>(?:#.*\n)*?)#[ \t]*---[ \t]*$",
    re.MULTILINE,
)
_SCRIPT_CELL = re.compile(
    r"^# ?%%.*\n(?:[ \t]*\n|# ?\|.*\n)*"
    r"(?:#[ \t]*xunit:[ \t]*|(?:#[ \t]*)?%%xunit_)(?:setup|teardown|test)\b",
    re.MULTILINE,
)
"""The begin of a cell of a script, and in its first line that it is a hook or a test."""
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>.*?\n)---[ \t]*(?:\n|$)", re.DOTALL)
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")


class TextNotebookError(ValueError):
    """A text that is not a notebook, or cannot be read here; the message says why and what to try."""


def says_so(text: str) -> bool:
    """Whether a Python file says that it is a notebook: in jupytext's header, or by a hook or test cell.

    VS Code and Spyder write no header; as a module, such a cell would be tested by nobody.
    """
    header = _SCRIPT_HEADER.match(text)
    if header is not None and re.search(r"^#\s+jupytext:", header["yaml"], re.MULTILINE):
        return True
    return _SCRIPT_CELL.search(text) is not None


def parse(text: str, suffix: str) -> Any:
    """The notebook (nbformat's NotebookNode) that `text` is, as jupytext reads it. TextNotebookError."""
    # Of what jupytext imports, and of lexers: it takes ipython3 for another language than python3.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import jupytext
        except ImportError as exc:
            raise TextNotebookError(
                f"{suffix} files are read by jupytext, which cannot be imported ({exc}); "
                "install it with: pip install 'nbxunit[text]'"
            ) from exc
        try:
            if suffix == ".qmd":
                notebook = jupytext.reads(_as_r_markdown(text), {"extension": ".Rmd"})
            else:
                notebook = jupytext.reads(_with_display_name(text), {"extension": suffix})
        except Exception as exc:
            reason = f"{type(exc).__name__}: {exc}"
            raise TextNotebookError(f"jupytext cannot read it: {reason}") from exc
    _name_kernel(notebook)
    return notebook


def _with_display_name(text: str) -> str:
    """A text for jupytext: of the kernel, MyST-NB wants a name only, but nbformat also the name to display."""
    front = _FRONT_MATTER.match(text)
    if front is None or "kernelspec" not in front["yaml"]:
        return text
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        metadata = yaml.safe_load(front["yaml"])
        kernel = metadata["kernelspec"]
        if "display_name" in kernel:
            return text
        metadata["kernelspec"] = {**kernel, "display_name": kernel["name"]}
    except (yaml.YAMLError, LookupError, TypeError):
        return text
    return f"---\n{yaml.safe_dump(metadata)}---\n{text[front.end() :]}"


def _as_r_markdown(text: str) -> str:
    """A Quarto text as R Markdown, line by line; for one of its own jupytext calls the quarto program.

    Its Jupyter engine runs the chunks in the language of the first that is Python's, R's or Julia's, and
    shows the others.
    """
    first = re.search(r"^[ \t]*```+\{(python|r|julia)\b", text, re.MULTILINE)
    others = rf"^([ \t]*```+)\{{(?!{first[1] if first else 'python'}\b)(?=\w)"
    return re.sub(others, r"\1 ", text, flags=re.MULTILINE)


def _name_kernel(notebook: Any) -> None:
    """Note the kernel where the front matter has it as Quarto writes it, and the language of chunks."""
    metadata = notebook.metadata
    if "kernelspec" in metadata:
        return
    front = next((cell.source for cell in notebook.cells[:1] if cell.cell_type == "raw"), "")
    named = re.search(r"^jupyter:[ \t]*([\w.-]+)[ \t]*$", front, re.MULTILINE)
    language = metadata.get("jupytext", {}).get("main_language", "python")
    spec = {
        "name": named[1] if named else "python3",
        "display_name": "Python 3",
        "language": language,
    }
    metadata["kernelspec"] = spec


def first_lines(text: str, suffix: str, notebook: Any) -> list[int]:
    """For each cell of `notebook` that a run executes, the line of `text`, which it is, where its code begins."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    begins = _begins(text, suffix, [cell["source"] for cell in code])
    return [
        line
        for cell, line in zip(code, begins, strict=True)
        if lines.is_executed(cell, cell["source"])
    ]


def file_cells(path: Path) -> list[FileCell]:
    """The cells that a run executes, with their lines of the file; none where it cannot be read."""
    try:
        text = path.read_text("utf-8")
        notebook = parse(text, path.suffix)
    except (OSError, ValueError):
        return []
    executed = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and lines.is_executed(cell, cell.source)
    ]
    begins = first_lines(text, path.suffix, notebook)
    return [
        FileCell(number, source, tuple(range(begin, begin + source.count("\n") + 1)))
        for number, (source, begin) in enumerate(zip(executed, begins, strict=True), 1)
    ]


def _begins(text: str, suffix: str, sources: Sequence[str]) -> list[int]:
    """For each of the code cells with these `sources`, in order, the line of `text` where its code begins.

    jupytext does not say so. A cell that is not found is taken to begin where the one before it ended.
    """
    rows = text.splitlines()
    found, at = [], 0
    for source in sources:
        wanted = source.splitlines()
        # jupytext writes a line `%%R` above a chunk in another language, which the file has in its fence.
        for above in (0, 1) if source.startswith("%%") else (0,):
            begins = _begin_of(rows, wanted[above:], at, is_fenced=suffix in MARKDOWN)
            if begins is not None:
                found.append(begins - above + 1)
                at = begins + len(wanted[above:])
                break
        else:
            found.append(at + 1)
    return found


def _begin_of(rows: list[str], wanted: list[str], first: int, *, is_fenced: bool) -> int | None:
    """The index from `first` on where the rows are those that are `wanted`."""
    for at in range(first, len(rows) - len(wanted) + 1):
        here = rows[at : at + len(wanted)]
        if all(itertools.starmap(_is_same, zip(here, wanted, strict=True))) and (
            not is_fenced or _is_closed(rows[at + len(wanted) :])
        ):
            return at
    return None


def _is_closed(rest: list[str]) -> bool:
    """Whether a fence follows, below empty lines."""
    line = next((line for line in rest if line.strip()), "")
    return _FENCE.fullmatch(line.rstrip()) is not None


def _is_same(line: str, wanted: str) -> bool:
    """Whether a line is what jupytext makes of it: as it is, or a magic that a script has as a comment."""
    uncommented = re.sub(r"^(\s*)# ?", r"\1", line, count=1)
    return wanted.rstrip() in (line.rstrip(), uncommented.rstrip())
