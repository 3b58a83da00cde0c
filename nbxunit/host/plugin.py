"""pytest's entry point `nbxunit`: the options and ini keys, and the session when one is asked for.

Imported by every pytest run, so it imports pytest alone; all that is heavy comes with `--nbxunit`.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--nbxunit` and what goes with it."""
    group = parser.getgroup("nbxunit", "notebooks (nbxunit)")
    group.addoption(
        "--nbxunit", action="store_true", default=False,
        help="execute notebooks and run their tests, each in a kernel of its own",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-kernel", metavar="NAME", default=None,
        help="run on the kernel NAME instead of the notebook's own",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-jobs", metavar="N", default="1",
        help="run N notebooks at once, in N kernels; auto: one for each core",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-check-execution", action="store_true", default=False,
        help="execute all notebooks, also those without tests, and report each execution as a test",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-strict-cells", action="store_true", default=False,
        help="an exception that a cell only shows, and does not raise, is an error, too",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-doctest-markdown", action="store_true", default=False,
        help="run the >>> examples of Markdown cells as doctests, too",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-save", metavar="DIR", default=None,
        help="write the executed notebooks below DIR, with outputs and the results of their tests",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-no-fork", action="store_true", default=False,
        help="start each kernel as a new process instead of forking one that is warm",
    )  # fmt: skip
    group.addoption(
        "--nbxunit-preload", metavar="MODULES", default=None,
        help="modules, separated by commas, that are imported once, before kernels are forked",
    )  # fmt: skip
    parser.addini("nbxunit_preload", "default of --nbxunit-preload", type="args", default=[])
    for what in ("cell", "test", "notebook"):
        group.addoption(
            f"--nbxunit-{what}-timeout", metavar="SECONDS", type=float, default=None,
            help=f"interrupt a {what} that takes longer, then kill the kernel (default: no limit)",
        )  # fmt: skip
        parser.addini(
            f"nbxunit_{what}_timeout",
            f"default of --nbxunit-{what}-timeout, in seconds",
            default="",
        )
    parser.addini(
        "nbxunit_files", "globs of the notebooks to run", type="args", default=["*.ipynb"]
    )
    parser.addini("nbxunit_kernel", "default of --nbxunit-kernel", default="")


@pytest.fixture
def notebook(request: pytest.FixtureRequest) -> None:
    """The notebook that `pytest.mark.notebook("path.ipynb")` names, in a run of nbxunit (pytest --nbxunit)."""
    if hasattr(request.config, "nbxunit_kernel"):
        why = 'no mark names one for this test; add pytest.mark.notebook("path.ipynb")'
    else:
        why = "its cells run in a kernel; run the tests with: pytest --nbxunit, or nbxunit run"
    pytest.fail(f"the fixture `notebook`: {why}", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark of companion tests known, and start a session of notebooks if one is asked for."""
    config.addinivalue_line(
        "markers",
        "notebook(path, scope='module', execute=True, parameters=None): the tests run in the kernel of "
        "this notebook, whose cells the fixture `notebook` executes (nbxunit)",
    )
    if config.getoption("nbxunit"):
        from nbxunit.host.session import plugin

        plugin.register(config)
