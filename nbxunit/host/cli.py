"""The command `nbxunit`: arguments to `pytest.main` with the notebook session switched on.

Alone prints and exits. `nbxunit run` has short spellings for the options that pytest reserves.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbxunit import __version__
from nbxunit.text_notebooks import MARKDOWN

if TYPE_CHECKING:
    from nbxunit.check.reading import Notebook

_DESCRIPTION = "xunit tests in Jupyter notebooks, run by pytest inside the kernel"
_EXAMPLES = """\
examples:
  nbxunit run notebook.ipynb                       all tests of a notebook
  nbxunit run notebook.ipynb::TestDb::test_insert  one of them
  nbxunit run notebooks/ -n 4                      a folder, in four kernels at once
  nbxunit run -k insert -x --junitxml=report.xml   any option of pytest
  nbxunit run --check-execution notebooks/         execute notebooks that have no tests, too
  nbxunit run --cell-timeout 60 --kernel python3 notebook.ipynb
  nbxunit run book/intro.md                        a text notebook, as jupytext reads it

Without a path: the ini's testpaths, else the current folder. Exit codes are pytest's: 0 all passed,
1 something failed, 2 interrupted, 3 internal error, 4 usage error, 5 no tests.
All of pytest's options: pytest --help. In a mixed suite: pytest --nbxunit.
"""

_NOTEBOOKS = {".ipynb", *MARKDOWN}
_ONLY_TELLING = {"-h", "--help", "-V", "--version", "--markers", "--fixtures"}
"""Options of pytest that run nothing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["check"]:  # at once: editors call it at each save
        from nbxunit.check import command as checking

        return checking.main(words[1:], _read_text)
    if words[:1] == ["watch"]:
        from nbxunit.host.watching import watch

        return watch.main(words[1:], run)
    parser = argparse.ArgumentParser(
        "nbxunit", description=_DESCRIPTION, epilog=_EXAMPLES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"nbxunit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="run the tests of notebooks", add_help=False)
    commands.add_parser("check", help="look for mistakes, without executing them", add_help=False)
    commands.add_parser("watch", help="run what a save touches, at each save", add_help=False)
    if not words:
        parser.print_help()
        return 4
    if words[0] != "run" and (".ipynb" in words[0] or _is_path(words[0])):
        parser.error(f"did you mean nbxunit run {' '.join(words)}?")
    parser.parse_args(words[:1])
    return run(words[1:])


def _read_text(path: Path, shown: str) -> Notebook | None:
    """The text notebook in `path` for `nbxunit check`. ReadingError."""
    from nbxunit.check.reading import Cell, Notebook, ReadingError
    from nbxunit.host.notebooks import files
    from nbxunit.host.notebooks.static_look import Origin

    try:
        notebook = files.read(path)
    except files.NotebookError as exc:
        raise ReadingError(str(exc)) from exc
    if not Origin.of(notebook).is_python:
        return None
    lines = files.first_lines(path, notebook)
    code = [cell.source for cell in notebook.cells if files.is_executed(cell)]
    cells = [Cell(number, source) for number, source in enumerate(code, 1)]
    return Notebook(shown, cells, lambda number, line: lines[number - 1] + line - 1)


def run(words: Sequence[str], plugins: Sequence[object] = ()) -> int:
    """`nbxunit run WORDS`, with more plugins for pytest: its exit code."""
    from nbxunit.host import options
    from nbxunit.host.kernels import launching, plugins_ahead

    parser = argparse.ArgumentParser(
        "nbxunit run", usage="nbxunit run [options] [pytest options] [notebook, folder or node id ...]",
        description="Execute notebooks and run their tests, each in a kernel of its own.",
        epilog=_EXAMPLES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    options.add_to(parser)
    ours, rest = parser.parse_known_args(_with_revision(_whole_options(words)))
    arguments = ["-p", "nbxunit", "--nbxunit", *options.spelled_for_pytest(vars(ours))]
    more = list(plugins)
    if not (ours.nbxunit_no_fork or ours.nbxunit_dask) and _runs_notebooks(rest):
        launched = launching.launch_early()
        more += [] if launched is None else [plugins_ahead.PluginsAhead(launched)]
    gc.disable()  # imports leave no garbage, and what they make stays
    import pytest

    gc.freeze()
    gc.enable()
    try:
        return int(pytest.main([*arguments, *rest], more))
    finally:
        launching.drop_early()
        gc.freeze()  # at its end the interpreter collects once more


def _runs_notebooks(words: Sequence[str]) -> bool:
    """Whether pytest's `words` are likely to run a notebook, which is a guess."""
    paths = [Path(path) for word in words if _is_path(path := word.partition("::")[0])]
    named = any(path.is_dir() or path.suffix in _NOTEBOOKS for path in paths)
    return (named or not paths) and _ONLY_TELLING.isdisjoint(words)


def _with_revision(words: Sequence[str]) -> list[str]:
    """`words` with a revision for `--changed` where none is given: a path behind it is no revision."""
    found: list[str] = []
    for word, following in itertools.zip_longest(words, words[1:]):
        is_alone = following is None or following.startswith("-") or _is_path(following)
        found.append("--changed=HEAD" if word == "--changed" and is_alone else word)
    return found


def _is_path(word: str) -> bool:
    return os.path.exists(word)  # noqa: PTH110 - False for what no path can be, too


_VALUED = ("-k", "-m", "-o", "-p", "-c", "-W", "-r")


def _whole_options(words: Sequence[str]) -> list[str]:
    """`words` with the values of pytest's short options joined to them.

    Else a value that looks like an option of ours would be taken for it: `-k -n`.
    """
    whole: list[str] = []
    iterator = iter(words)
    for word in iterator:
        if word in _VALUED:
            whole.append(word + next(iterator, ""))
        else:
            whole.append(word)
    return whole


if __name__ == "__main__":
    sys.exit(main())
