"""pytest's options on a suite of notebooks and modules, compared with the same suite as modules."""

from __future__ import annotations

import pytest
import suite

# `.EXT` stands for `.py` in the plain suite, and for `.ipynb` where a module is a notebook.
OPTIONS = [
    "", "-k|number or plain", "-m|slow", "-m|not slow", "-x", "--maxfail=2", "--maxfail=3",
    "--deselect|test_gamma.EXT::test_second",
    "test_alpha.EXT::TestGroup::test_one|test_gamma.EXT::test_third",
    "test_gamma.EXT|test_alpha.EXT", "test_alpha.EXT::test_number[2]", "test_alpha.EXT::test_number",
    "-W|error", "-o|xfail_strict=true", "-c|other.ini|--rootdir|.",
    "--collect-only", "--collect-only|-q|-k|number",
    "--collect-only|-q|test_alpha.EXT::TestGroup", "-k|nothing_matches", "nonexisting.EXT",
]  # fmt: skip
SHOWING = [
    "-v|--tb=short|--durations=3", "-q|--tb=long|-l|-s", "-qq|--tb=native|-p|no:logging",
    "-vv|--tb=line|--strict-markers", "-rA|--tb=no|--strict-config",
]  # fmt: skip
"""Options that select nothing: several in one run, each by itself in the long form."""


def pytest_generate_tests(metafunc):
    """Give options that select nothing to runs of their own with --long only."""
    if "options" in metafunc.fixturenames:
        singly = metafunc.config.getoption("long")
        single = [word for words in SHOWING for word in _single(words)] if singly else []
        metafunc.parametrize("options", [*OPTIONS, *SHOWING, *single])


def _single(options: str) -> list[str]:
    return options.replace("-p|", "-p").split("|")


@pytest.fixture(scope="module")
def suites(tmp_path_factory):
    base = tmp_path_factory.mktemp("suites")
    pair = (
        suite.write_suite(base / "plain", notebooks=False),
        suite.write_suite(base / "mixed", notebooks=True),
    )
    for folder in pair:
        (folder / "other.ini").write_text(suite.INI + "addopts = -rs\n")
    return pair


def words(options: str, *, notebooks: bool) -> list[str]:
    found = []
    for word in options.split("|") if options else []:
        is_notebook = notebooks and word.partition(".")[0] in suite.NOTEBOOKS
        found.append(word.replace(".EXT", ".ipynb" if is_notebook else ".py"))
    return found


def both(suites, options: str) -> tuple[suite.Outcome, suite.Outcome]:
    plain, mixed = suites
    return (
        suite.run(plain, *words(options, notebooks=False)),
        suite.run(mixed, "--nbxunit", *words(options, notebooks=True)),
    )


def test_option_means_what_it_means_to_pytest(suites, options):
    """Reports, their order, counts and exit code are those of the suite without notebooks."""
    plain, mixed = both(suites, options)
    assert mixed.exit == plain.exit, mixed.text
    assert mixed.reports == plain.reports, mixed.text
    assert mixed.counts == plain.counts, mixed.text


@pytest.mark.parametrize(
    "ini",
    ["addopts = -n 2", "filterwarnings = error", "addopts = -x", "python_functions = check test"],
)
def test_ini_counts_as_for_modules(tmp_path, ini):
    """The user's ini options hold in the kernel too, and none of them starts anything there."""
    text = f"{suite.INI}{ini}\n"
    plain = suite.run(suite.write_suite(tmp_path / "plain", notebooks=False, ini=text))
    mixed = suite.run(suite.write_suite(tmp_path / "mixed", notebooks=True, ini=text), "--nbxunit")
    assert mixed.exit == plain.exit, mixed.text
    if "-n 2" not in ini:
        assert mixed.reports == plain.reports, mixed.text
    assert mixed.counts == plain.counts or "-x" in ini


def test_cache_options_select_the_same_tests(tmp_path, pytestconfig):
    """--lf, --nf and --sw choose the same tests in the same order, run after run."""
    more = ("--lf|test_alpha.EXT", "--lf") if pytestconfig.getoption("long") else ()
    suites = (
        suite.write_suite(tmp_path / "plain", notebooks=False),
        suite.write_suite(tmp_path / "mixed", notebooks=True),
    )
    for options in ("", "--lf", "--nf", "--sw", "--sw", *more):
        plain, mixed = both(suites, options)
        assert (mixed.exit, mixed.reports) == (plain.exit, plain.reports), (options, mixed.text)
        assert mixed.counts == plain.counts, (options, mixed.text)


def test_failed_first_orders_notebooks_and_their_tests(tmp_path):
    """With --ff a notebook with failures comes first, and its failed tests first in it."""
    folder = suite.write_suite(tmp_path / "mixed", notebooks=True)
    suite.run(folder, "--nbxunit")
    again = suite.run(folder, "--nbxunit", "--ff", "test_alpha.ipynb")
    assert [line.split()[0] for line in again.reports][:2] == [
        "test_alpha.py::test_number[2]",
        "test_alpha.py::TestGroup::test_one",
    ]


def test_unknown_test_is_a_usage_error(suites):
    """A node id that names no test of its notebook ends with exit code 4, and says so."""
    outcome = suite.run(
        suites[1], "--nbxunit", "test_alpha.ipynb::test_nope", "test_gamma.ipynb::test_first"
    )
    assert outcome.exit == 4
    assert "not found: test_alpha.ipynb::test_nope" in outcome.text
    assert "test_gamma.py::test_first call passed" in outcome.reports


def test_notebooks_are_left_alone_without_being_asked_for(suites):
    """Plain pytest collects no notebook."""
    outcome = suite.run(suites[1], "--collect-only", "-q")
    assert "ipynb" not in outcome.text


@pytest.fixture(scope="module")
def one(suites):
    """What a run reports with one kernel at a time."""
    return suite.run(suites[1], "--nbxunit")


@pytest.mark.parametrize("jobs", ["2", "4", "auto"])
def test_several_kernels_report_in_order(suites, one, jobs):
    """With several kernels at once the reports and their order are the same."""
    several = suite.run(suites[1], "--nbxunit", f"--nbxunit-jobs={jobs}")
    assert (several.exit, several.reports, several.counts) == (one.exit, one.reports, one.counts)


def test_xdist_distributes_notebooks(suites, one):
    """Under pytest-xdist a notebook is one unit, and nothing is lost or counted twice."""
    pytest.importorskip("xdist")
    several = suite.run(suites[1], "--nbxunit", "-n", "2", "-v")
    assert sorted(several.reports) == sorted(one.reports), several.text
    assert several.counts.items() >= {**one.counts}.items()
    assert "[100%]" in several.text
    assert "[101%]" not in several.text
