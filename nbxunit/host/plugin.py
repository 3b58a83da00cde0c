"""pytest's entry point `nbxunit`: the options and ini keys, and the session when one is asked for.

Imported by every pytest run, so it imports pytest and the options alone; all that is heavy comes with `--nbxunit`.
"""

from __future__ import annotations

import pytest

from nbxunit import transport_warnings
from nbxunit.host.options import OPTIONS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--nbxunit` and what goes with it."""
    group = parser.getgroup("nbxunit", "notebooks (nbxunit)")
    group.addoption(
        "--nbxunit", action="store_true", default=False,
        help="execute notebooks and run their tests, each in a kernel of its own",
    )  # fmt: skip
    for option in OPTIONS:
        form = option.form
        if option.type is not None:
            form["type"] = option.type
        group.addoption(f"--nbxunit-{option.name}", **form)
        if option.ini is not None:
            default: object = "" if option.ini == "string" else []
            parser.addini(option.dest, f"default of --nbxunit-{option.name}", option.ini, default)
    parser.addini(
        "nbxunit_files", "globs of the notebooks to run", type="args", default=["*.ipynb"]
    )
    parser.addini(
        "nbxunit_params", "parameters of notebooks, NAME=VALUE a line", type="linelist", default=[]
    )
    parser.addini(
        "nbxunit_sanitize",
        "what is replaced in texts before they are compared, REGEX => REPLACEMENT a line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "nbxunit_cov_cells",
        "whether --cov measures cells, too; by default where it measures the folder of the notebook",
        type="bool",
        default=None,
    )
    parser.addini(
        "nbxunit_dask_resources",
        "what workers must have for notebooks, GLOB NAME=NUMBER ... a line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "nbxunit_secret_params",
        "globs of parameters whose values are shown as ***",
        type="args",
        default=[],
    )


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

        for line in transport_warnings.IGNORED:
            config.addinivalue_line("filterwarnings", line)
        plugin.register(config)
