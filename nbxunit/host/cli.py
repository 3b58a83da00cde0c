"""The command `nbxunit`: arguments to `pytest.main` with the notebook session switched on.

Alone prints and exits. `nbxunit run` has short spellings for the options that pytest reserves.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from nbxunit import __version__
from nbxunit.host.kernels.forking import ForkServer

_DESCRIPTION = "xunit tests in Jupyter notebooks, run by pytest inside the kernel"
_EXAMPLES = """\
examples:
  nbxunit run notebook.ipynb                       all tests of a notebook
  nbxunit run notebook.ipynb::TestDb::test_insert  one of them
  nbxunit run notebooks/ -n 4                      a folder, in four kernels at once
  nbxunit run -k insert -x --junitxml=report.xml   any option of pytest
  nbxunit run --check-execution notebooks/         execute notebooks that have no tests, too
  nbxunit run --cell-timeout 60 --kernel python3 notebook.ipynb

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
    options = parser.parse_args(words[:1])
    return run(words[1:]) if options.command == "run" else 4


def run(words: Sequence[str]) -> int:
    """`nbxunit run WORDS`: pytest's exit code."""
    parser = argparse.ArgumentParser(
        "nbxunit run", usage="nbxunit run [options] [pytest options] [notebook, folder or node id ...]",
        description="Execute notebooks and run their tests, each in a kernel of its own.",
        epilog=_EXAMPLES, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("-n", metavar="N", help="notebooks at once, each in its kernel; or auto")
    parser.add_argument(
        "--kernel", metavar="NAME", help="run on this kernel, not the notebook's own"
    )
    parser.add_argument(
        "--cell-timeout", metavar="SECONDS", help="interrupt a cell that takes longer"
    )
    parser.add_argument(
        "--test-timeout", metavar="SECONDS", help="interrupt a test that takes longer"
    )
    parser.add_argument(
        "--notebook-timeout", metavar="SECONDS", help="interrupt a notebook that takes longer"
    )
    parser.add_argument(
        "--check-execution", action="store_true", help="report each notebook's execution as a test"
    )
    parser.add_argument(
        "--doctest-markdown",
        action="store_true",
        help="run the >>> examples of Markdown cells, too",
    )
    parser.add_argument(
        "--strict-cells",
        action="store_true",
        help="an exception that a cell only shows is an error",
    )
    parser.add_argument(
        "--save", metavar="DIR", help="write the executed notebooks, with all results, below DIR"
    )
    parser.add_argument("--no-fork", action="store_true", help="start each kernel as a new process")
    parser.add_argument(
        "--preload",
        metavar="MODULES",
        help="import these, as in numpy,pandas, before kernels are forked",
    )
    ours, rest = parser.parse_known_args(_whole_options(words))
    spelled = {
        "--nbxunit-jobs": ours.n,
        "--nbxunit-kernel": ours.kernel,
        "--nbxunit-cell-timeout": ours.cell_timeout,
        "--nbxunit-test-timeout": ours.test_timeout,
        "--nbxunit-notebook-timeout": ours.notebook_timeout,
        "--nbxunit-preload": ours.preload,
        "--nbxunit-save": ours.save,
    }
    arguments = ["-p", "nbxunit", "--nbxunit"]
    arguments += [f"{option}={value}" for option, value in spelled.items() if value is not None]
    arguments += ["--nbxunit-check-execution"] if ours.check_execution else []
    arguments += ["--nbxunit-doctest-markdown"] if ours.doctest_markdown else []
    arguments += ["--nbxunit-strict-cells"] if ours.strict_cells else []
    arguments += ["--nbxunit-no-fork"] if ours.no_fork else []
    if not ours.no_fork and any(Path(word.partition("::")[0]).suffix == ".ipynb" for word in rest):
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
