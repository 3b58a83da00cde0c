"""Values for the parameters of notebooks: from the command line, files and the ini, put in as papermill does.

Text becomes a value by the rules of papermill's command line, and files are read by those of its `-f`. PyYAML
is imported when a file is YAML.
"""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbxunit import parameters
from nbxunit.host.notebooks.files import NotebookError, new_code_cell, tags

if TYPE_CHECKING:
    from nbformat import NotebookNode

HIDDEN = "***"
"""What stands for the value of a secret."""


class ParameterFileError(Exception):
    """Parameters that cannot be read as they are given; the message says what was expected."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One run of each notebook: `name` stands in its node ids, where there are several."""

    name: str = ""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def variants(words: Iterable[str], files: Iterable[Path]) -> list[Variant]:
    """The runs that `NAME=VALUE` words and files ask for; a word comes before a file. ParameterFileError."""
    given = dict(map(_pair, words))
    paths = list(files)
    if len(paths) < 2:  # noqa: PLR2004 - one needs no name
        from_file = _read(paths[0]) if paths else {}
        return [Variant("", {**from_file, **given})]
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        raise ParameterFileError(
            f"parameter files name the runs of a notebook, so each needs another name: {', '.join(names)}"
        )
    return [
        Variant(name, {**_read(path), **given}) for name, path in zip(names, paths, strict=True)
    ]


def _pair(word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ParameterFileError(f"a parameter is given as NAME=VALUE, not {word!r}")
    return name.strip(), typed(text)


def typed(text: str) -> Any:
    """The value of a text: True, False, None and numbers are that, and all else is text.

    Quotes around it make it text, too, and are left out.
    """
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (OSError, ValueError) as exc:
        raise ParameterFileError(f"the parameter file {path} cannot be read: {exc}") from exc
    if not isinstance(values, dict):
        what = "empty" if values is None else f"a {type(values).__name__}"
        raise ParameterFileError(f"the parameter file {path} is {what}, and not a mapping of names to values")  # fmt: skip  # noqa: E501
    return {str(name): value for name, value in values.items()}


def _yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError as exc:
        raise ParameterFileError(
            "a parameter file in YAML needs PyYAML: pip install 'nbxunit[params]'; JSON needs nothing"
        ) from exc

    class Loader(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
        """A date stays text, as for papermill."""

        yaml_implicit_resolvers = {
            first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as exc:
        raise ValueError(str(exc)) from exc


def inject(notebook: NotebookNode, values: Mapping[str, Any]) -> NotebookNode | None:
    """Put the injected cell into `notebook`; the cell, where it replaces none.

    NotebookError for a name that the notebook has no parameter for.
    """
    of_cells = [tags(cell) for cell in notebook.cells]
    named = [
        cell
        for cell, own in zip(notebook.cells, of_cells, strict=True)
        if parameters.PARAMETERS_TAG in own
    ]
    try:
        parameters.check(values, named[0].source if named else None)
    except parameters.ParameterError as exc:
        raise NotebookError(str(exc)) from exc
    at, replaces = parameters.place(of_cells)
    cell = new_code_cell(notebook, parameters.code(values))
    cell.metadata["tags"] = [parameters.INJECTED_TAG]
    notebook.cells[at : at + replaces] = [cell]
    notebook.metadata.setdefault("papermill", {})["parameters"] = copy.deepcopy(dict(values))
    return None if replaces else cell


def hide(notebook: NotebookNode, values: Mapping[str, Any], secrets: Iterable[str]) -> None:
    """Show the secrets among `values` as ***: in the injected cell, and in the metadata."""
    globs = list(secrets)
    shown = {
        name: HIDDEN if any(fnmatch.fnmatch(name, glob) for glob in globs) else value
        for name, value in values.items()
    }
    if shown == values:
        return
    for cell in notebook.cells:
        if parameters.INJECTED_TAG in tags(cell):
            cell.source = parameters.code(shown)
    notebook.metadata["papermill"]["parameters"] = shown
