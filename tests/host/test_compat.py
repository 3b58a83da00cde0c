"""Each private name that the host side uses exists, and does what we think it does."""

from __future__ import annotations

import io
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from _pytest._io import TerminalWriter

from nbxunit.host import compat

pytest_plugins = ["pytester"]


@pytest.fixture
def config(pytester):
    """A configuration with all of pytest's own plugins, for an empty folder."""
    return pytester.parseconfigure("-p", "no:nbxunit", str(pytester.path))


@pytest.fixture
def reporter(config):
    """The terminal reporter, writing to a text in memory."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reporter._tw = TerminalWriter(io.StringIO())
    return reporter


def failure(pytester, nodeid: str = "", location: str = "") -> pytest.TestReport:
    """The report of a test that fails, as if it stood in a notebook's cell 3."""
    item = pytester.getitem("def test_func(): assert 0")
    call = pytest.CallInfo.from_call(item.runtest, "call")
    report = pytest.TestReport.from_item_and_call(item, call)
    if nodeid:
        report.nodeid, report.location = nodeid, (nodeid, None, location)
    return report


def text(longrepr) -> str:
    """What a failure looks like on a terminal."""
    writer = TerminalWriter(io.StringIO())
    longrepr.toterminal(writer)
    return writer._file.getvalue()


def test_grammars_are_kept_out_for_a_time(monkeypatch):
    """Within, the import of a format's grammar fails; behind it, it is as before."""
    monkeypatch.delitem(sys.modules, "isoduration", raising=False)
    with compat.without_grammar(), pytest.raises(ImportError):
        __import__("isoduration")
    assert "isoduration" not in sys.modules


def test_cells_are_named_as_places(pytester):
    """A crash in a cell is told as a person says it; one in a file is told as pytest tells it."""
    report = failure(pytester)
    assert ".py:1: " in text(report.longrepr)
    for entry in report.longrepr.reprtraceback.reprentries:
        entry.reprfileloc.path = "a.ipynb cell 3"
    compat.name_cells(report)
    assert "a.ipynb cell 3, line 1: " in text(report.longrepr)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("a.ipynb cell 3, line 2: KeyError: 'x'\n\nE   KeyError", "cell 3, line 2: KeyError: 'x'"),
        ("a.ipynb[small] cell 3: KeyError: 'x'", "cell 3: KeyError: 'x'"),
        ("a.ipynb:42: KeyError: 'x'", "line 42: KeyError: 'x'"),
        ("the kernel died", "the kernel died"),
        ("file b.py, line 1\nE   fixture 'a' not found", "fixture 'a' not found"),
        ("004 >>> f(2)\nExpected:\n    5\n\na.ipynb cell 2:4: DocTestFailure", "DocTestFailure"),
    ],
)
def test_texts_in_the_form_of_exceptions(first, message):
    """A text has its first line for message, also behind xdist, and is shown as it is."""
    raised = compat.as_raised(first, "a.ipynb")
    report = pytest.TestReport("a.ipynb", ("a.ipynb", None, ""), {}, "failed", raised, "call")
    arrived = pytest.TestReport._from_json(report._to_json())
    compat.name_cells(arrived)
    for longrepr in (raised, arrived.longrepr):
        assert text(longrepr) == f"{first}\n"
        assert longrepr.reprcrash.message == message
        assert "a.ipynb:0" not in str(longrepr.reprcrash)


@pytest.mark.parametrize(
    ("nodeid", "location", "headline"),
    [
        ("a.ipynb", "x", "a.ipynb"),
        ("a.ipynb::test_a", "", "a.ipynb::test_a"),
        ("a.ipynb::test_a", "test_a", "test_a"),
    ],
)
def test_headlines(pytester, nodeid, location, headline):
    """A notebook, and a test that did not run, are headed by node id, and travel as pytest's reports."""
    report = failure(pytester, nodeid, location)
    compat.name_notebook(report)
    assert report.head_line == headline
    data = compat.as_test_report(report._to_json() | {"$report_type": type(report).__name__})
    assert data["$report_type"] == "TestReport"


def test_no_temporary_folder(pytester):
    """Where the plugin is kept out, there is no base for kernels."""
    config = pytester.parseconfigure("-p", "no:tmpdir")
    assert compat.temporary_folder(config, "a") is None


def test_temporary_folders_of_kernels(pytester):
    """Each kernel has a folder inside the host's base, which is not there yet, also where it was removed."""
    config = pytester.parseconfigure("--basetemp", str(pytester.path / "base"))
    first = compat.temporary_folder(config, "a b")
    shutil.rmtree(pytester.path / "base")
    second = compat.temporary_folder(config, "b")
    assert first != second
    assert Path(first).parents[1] == pytester.path / "base"
    assert not Path(second).exists()


def test_folders_that_nobody_used_are_removed(pytester):
    """At the end the base and its folder are gone, but for folders with something in them."""
    for is_used in (False, True):
        config = pytester.parseconfigure()
        folder = Path(compat.temporary_folder(config, "a"))
        compat.temporary_folder(config, "a")
        base = folder.parents[1]
        config.option.basetemp = None  # pytester has given one
        if is_used:
            folder.mkdir()
        compat.drop_unused_folders(config)
        assert [each.name for each in base.glob("a*")] == (["a0"] if is_used else [])
        assert base.exists() == is_used


def test_a_shield_stands_before_all_plugins(config):
    """A hook is called in place of all plugins for items of ours, and as ever for others."""
    seen = []

    class Plugin:
        def pytest_runtest_protocol(self, item):
            seen.append(item)
            return True

    compat.Shield(config, "pytest_runtest_protocol", lambda item: item == "ours", lambda **_: 1)
    config.pluginmanager.register(Plugin())
    assert config.hook.pytest_runtest_protocol(item="ours", nextitem=None) == 1
    assert seen == []


def test_what_plugins_write_is_heard(reporter):
    """What goes through the reporter within is kept, and written."""
    with compat.heard(reporter) as texts:
        reporter.write_line("one")
    reporter.write_line("two")
    assert "".join(texts).strip() == "one"


def test_what_the_reporter_writes(config, reporter):
    """Text goes behind the line, through the file that was put around the reporter's."""
    written: list[object] = []

    class Around:
        def __init__(self, file):
            self.file = file

        def write(self, text):
            written.append(text)
            self.file.write(text)

        def flush(self):
            written.append(True)

    inner = reporter._tw._file
    compat.wrap_output(config, Around)
    compat.write_in_line(reporter, "told")
    assert (written, inner.getvalue()) == (["told", True], "told")
    assert compat.is_terminal(reporter) is False


def test_capture_rests(pytester):
    """Within, what is printed goes past pytest's capture."""
    pytester.makepyfile("""
        from nbxunit.host import compat
        def test_a(request):
            print("kept")
            with compat.uncaptured(request.config):
                print("told")
            print("kept")
    """)
    result = pytester.runpytest_subprocess("-p", "no:nbxunit")
    result.stdout.fnmatch_lines(["*told"])
    result.stdout.no_fnmatch_line("*kept*")


@pytest.mark.parametrize("name", ["a::b.ipynb", "a[1].ipynb", "a b.ipynb"])
def test_arguments_are_paths(pytester, name):
    """Within, the path of a notebook is a path, whatever it looks like; then it is pytest's again."""
    from _pytest import main

    before = main.resolve_collection_argument
    named: list[Path] = []

    class Plugin:
        def pytest_collect_file(self, file_path):
            named.append(file_path)

    path = pytester.path / name
    path.write_text("")
    with compat.literal_arguments():
        pytester.inline_run("--collect-only", "-p", "no:nbxunit", name, plugins=[Plugin()])
    assert named == [path]
    assert main.resolve_collection_argument is before


def test_the_count_grows(pytester):
    """The session's count of tests grows by what a kernel has told."""
    session = pytester.getitem("def test_func(): pass").session
    before = session.testscollected
    compat.grow(session, 3)
    assert session.testscollected == before + 3


def test_garbage_is_left(pytester):
    """A run that leaves it collects none at its end; by itself pytest since 8.4 does."""
    pytester.makeconftest("""
        import gc
        from nbxunit.host import compat
        collections = []
        collect = gc.collect
        gc.collect = lambda *args: collections.append(args) or collect(*args)
        def pytest_configure(config): compat.leave_garbage(config)
        def pytest_unconfigure(config): config.add_cleanup(lambda: print("collections", len(collections)))
    """)
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_subprocess("-p", "no:nbxunit")
    result.stdout.fnmatch_lines(["collections 0"])


def test_caches(config):
    """`--lf` forgets the notebook that could be collected, and `--nf` knows the tests it has."""
    last, new = map(config.pluginmanager.get_plugin, ("lfplugin", "nfplugin"))
    last.lastfailed = {"a.ipynb": True, "b.ipynb": True}
    compat.forget_failure(config, "a.ipynb")
    compat.remember_nodeids(config, ["a.ipynb::test_a"])
    assert list(last.lastfailed) == ["b.ipynb"]
    assert [str(each) for each in new.cached_nodeids] == ["a.ipynb::test_a"]


@pytest.mark.parametrize(
    ("category", "kind", "told"),
    [
        ("DeprecationWarning", DeprecationWarning, "old"),
        ("PytestWarning", pytest.PytestWarning, "old"),
        ("OurWarning", UserWarning, "OurWarning: old"),
        ("print", UserWarning, "print: old"),
    ],
)
def test_warnings(category, kind, told):
    """A warning has the class of that name, where Python or pytest has one; else its text says it."""
    message = compat.warning_message("old", category, "a.py", 3)
    assert (message.category, str(message.message)) == (kind, told)
    assert isinstance(message, warnings.WarningMessage)


def test_a_report_is_repeated_as_pytest_would_make_it(pytester, config):
    """A subtest's report with other fields is the one that pytest makes of the whole data."""
    pytest.importorskip("_pytest.subtests")
    reports = subtest_reports(pytester)
    hook = config.hook
    first, second = (
        hook.pytest_report_to_serializable(config=config, report=each) for each in reports
    )
    changes = {name: value for name, value in second.items() if value != first[name]}
    made, whole = (
        hook.pytest_report_from_serializable(config=config, data=dict(each))
        for each in (first, second)
    )
    assert compat.can_repeat(config, made)
    again = compat.repeated(made, changes)
    assert type(again) is type(whole)
    assert vars(again) == vars(whole)
    assert again.sections is not made.sections


def subtest_reports(pytester) -> list[pytest.TestReport]:
    """The reports of two subtests that pass."""
    module = pytester.makepyfile(
        "def test_a(subtests):\n    for i in range(2):\n        with subtests.test(i=i): pass"
    )
    reports = pytester.inline_run(module).getreports("pytest_runtest_logreport")
    return [each for each in reports if hasattr(each, "context")]
