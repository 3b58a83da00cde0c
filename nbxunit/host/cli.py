"""The command `nbxunit`: arguments to `pytest.main` with the notebook session switched on.

Alone prints and exits. `nbxunit run` has short spellings for the options that pytest reserves.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from nbxunit import __version__
from nbxunit.host import options
from nbxunit.host.kernels.forking import ForkServer
from nbxunit.host.notebooks.text import MARKDOWN

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        "nbxunit", description=_DESCRIPTION, epilog=_EXAMPLES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"nbxunit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="run the tests of notebooks", add_help=False)
    if not words:
        parser.print_help()
        return 4
    if words[0] != "run" and (".ipynb" in words[0] or Path(words[0]).exists()):
        parser.error(f"did you mean nbxunit run {' '.join(words)}?")
    command = parser.parse_args(words[:1]).command
    return run(words[1:]) if command == "run" else 4


def run(words: Sequence[str]) -> int:
    """`nbxunit run WORDS`: pytest's exit code."""
    parser = argparse.ArgumentParser(
        "nbxunit run", usage="nbxunit run [options] [pytest options] [notebook, folder or node id ...]",
        description="Execute notebooks and run their tests, each in a kernel of its own.",
        epilog=_EXAMPLES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    options.add_to(parser)
    ours, rest = parser.parse_known_args(_with_revision(_whole_options(words)))
    arguments = ["-p", "nbxunit", "--nbxunit", *options.spelled_for_pytest(vars(ours))]
    if not ours.nbxunit_no_fork and any(
        Path(word.partition("::")[0]).suffix in {".ipynb", *MARKDOWN} for word in rest
    ):
        ForkServer.start_early()
    gc.disable()  # imports leave no garbage, and what they make stays
    import pytest

    gc.freeze()
    gc.enable()
    try:
        return int(pytest.main([*arguments, *rest]))
    finally:
        ForkServer.drop_early()
        gc.freeze()  # at its end the interpreter collects once more


def _with_revision(words: Sequence[str]) -> list[str]:
    """`words` with a revision for `--changed` where none is given: a path behind it is no revision."""
    found: list[str] = []
    for word, following in itertools.zip_longest(words, words[1:]):
        is_alone = following is None or following.startswith("-") or Path(following).exists()
        found.append("--changed=HEAD" if word == "--changed" and is_alone else word)
    return found


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
