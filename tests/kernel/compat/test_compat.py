"""Each private name that the kernel side uses exists, and does what we think it does."""

from __future__ import annotations

import ast
import contextvars
import gc
import io
import linecache
import sys
import types
import unittest
import unittest.mock
import warnings
from pathlib import Path

import live
import pytest
from _pytest.fixtures import FixtureManager
from IPython import version_info
from IPython.core.interactiveshell import InteractiveShell

from nbxunit.kernel.compat import ahead, cells_requests, ipython, sessions, subtests
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.compat.importing import Importing

pytest_plugins = ["pytester"]


@pytest.fixture
def config(pytester):
    """A configuration that `prepare` has made, for an empty folder."""
    pytester.makeini("[pytest]\npythonpath = src\n")
    config = pytest_config.prepare(["-p", "no:cacheprovider", str(pytester.path)], [])
    yield config
    pytest_config.unconfigure(config)


@pytest.fixture
def module(pytester):
    """The node of a module with a class and hooks."""
    return pytester.getmodulecol("""
        import pytest
        def setup_module(module): module.ran = True
        @pytest.fixture
        def teardown_module(): pass
        class TestA:
            def test_a(self): pass
        class TestBroken:
            @pytest.mark.parametrize("nope", [1])
            def test_b(self): pass
        def test_c(tmp_path, request): pass
        marks = pytest.mark.usefixtures("request"), pytest.mark.filterwarnings("default")
        test_c.pytestmark = list(marks)
    """)


def children(module):
    return {node.name: node for node in module.collect()}


def test_prepare_loads_ini_files(config):
    """`prepare` stops where pytest.main would begin to collect."""
    assert config.getini("pythonpath")[0].name == "src"
    assert not hasattr(config, "session")


def test_prepare_from_takes_options_of_another_process(pytester):
    """`prepare_from` sets the given values and leaves `addopts` out."""
    pytester.makeini("[pytest]\naddopts = --nonsense\n")
    config = pytest_config.prepare_from({"verbose": 2}, [str(pytester.path)])
    try:
        assert config.option.verbose == 2
    finally:
        pytest_config.unconfigure(config)


@pytest.mark.parametrize("blocked", ["no:doctest", "no:pastebin"])
def test_what_is_made_ahead_is_what_a_run_begins_with(pytester, blocked):
    """A configuration made ahead is used once, by a run that keeps the same plugins out."""
    pytester.makeini("[pytest]\npythonpath = src\n")
    args = ["-p", blocked, str(pytester.path)]
    ahead.make(["-p", "no:doctest"])
    made = ahead._ahead[frozenset(["no:doctest"])]
    try:
        first, second = (pytest_config.prepare_from({"maxfail": 3}, args) for _ in range(2))
        assert (first is made) == (blocked == "no:doctest")
        assert second is not made
        for config in (first, second):
            assert config.invocation_params.args == tuple(args)
            assert config.invocation_params.dir == Path.cwd()
            assert config.option.maxfail == 3
            assert config.getini("pythonpath")[0].name == "src"
            assert not config.pluginmanager.has_plugin(blocked.removeprefix("no:"))
            pytest_config.unconfigure(config)
    finally:
        ahead._ahead.clear()


def test_a_live_run_takes_what_was_made_ahead(pytester):
    """`prepare` goes on with it as it would with its own: plugins, `addopts`, and errors."""
    pytester.makeini("[pytest]\naddopts = --maxfail=3\n")
    args = [str(pytester.path)]
    ahead.make([])
    made, plugin = ahead._ahead[frozenset()], object()
    config = pytest_config.prepare(args, [plugin])
    try:
        assert config is made
        assert config.option.maxfail == 3
        assert config.pluginmanager.is_registered(plugin)
        assert config.invocation_params.dir == Path.cwd()
    finally:
        pytest_config.unconfigure(config)
    ahead.make([])
    with pytest.raises(pytest.UsageError):
        pytest_config.prepare(["--nonsense", *args], [])
    ahead.make([])
    config = pytest_config.prepare(["-pno:doctest", *args], [])
    assert config is not ahead._ahead.pop(frozenset())
    pytest_config.unconfigure(config)


def test_a_broken_conftest_is_a_usage_error(pytester):
    """What a conftest raises is told as a UsageError with its path."""
    pytester.makeconftest("raise ValueError('broken')")
    with pytest.raises(pytest.UsageError, match=r"conftest.py cannot be imported(.|\n)*broken"):
        pytest_config.prepare([str(pytester.path)], [])


def test_finish_runs_the_prepared_session(pytester):
    """`finish` collects and runs, and its output goes where `sink_terminal` says."""
    pytester.makepyfile("def test_a(): pass")
    text = io.StringIO()

    class Sink:
        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            pytest_config.sink_terminal(config, text)

    config = pytest_config.prepare([str(pytester.path), "-p", "no:cacheprovider"], [])
    config.pluginmanager.register(Sink())
    assert pytest_config.finish(config) == pytest.ExitCode.OK
    assert "1 passed" in text.getvalue()


def test_fixtures_are_looked_for_once(pytester, monkeypatch):
    """From the second run on no module is searched that is as it was; all fixtures serve the tests."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef mine(): return 1")
    pytester.makepyfile(
        plug="import pytest\nvalue = 2\n@pytest.fixture(name='yours')\ndef plugged(): return value"
    )
    path = pytester.makepyfile("""
        import plug
        def test_a(mine, yours, tmp_path, capsys, monkeypatch, request):
            assert yours == plug.value
    """)
    pytester.syspathinsert()
    searched = []
    real = FixtureManager.parsefactories

    def parsefactories(self, *args, **kwargs):
        holder = kwargs.get("holder", args[0] if args else None)
        searched.append(getattr(holder, "__name__", ""))
        real(self, *args, **kwargs)

    monkeypatch.setattr(FixtureManager, "parsefactories", parsefactories)

    def run():
        searched.clear()
        with pytest_config.fixtures_looked_for_once():
            config = pytest_config.prepare(["-p", "no:cacheprovider", "-p", "plug", str(path)], [])
            assert pytest_config.finish(config) == pytest.ExitCode.OK
        return {name for name in searched if name}

    assert {"conftest", "plug"} <= run()
    again = run()
    assert "conftest" in again
    assert not {"plug", "_pytest.tmpdir", "_pytest.terminal"} & again
    monkeypatch.setattr(sys.modules["plug"], "plugged", pytest.fixture(name="yours")(lambda: 3))
    monkeypatch.setattr(sys.modules["plug"], "value", 3)
    assert "plug" in run()


def test_a_run_can_leave_garbage(pytester, monkeypatch):
    """With `leave_garbage`, the end of a run collects none, also where pytest would."""
    pytester.makepyfile("def test_a(): pass")
    collections = []
    monkeypatch.setattr(gc, "collect", lambda *_: collections.append(1))
    config = pytest_config.prepare([str(pytester.path), "-p", "no:cacheprovider"], [])
    pytest_config.leave_garbage(config)
    assert pytest_config.finish(config) == pytest.ExitCode.OK
    assert not collections


def test_the_cache_is_kept_in_memory(pytester):
    """Failures are remembered from run to run, and no folder is written."""
    path = pytester.makepyfile("def test_a(): pass\ndef test_b(): assert 0")
    store: dict[str, object] = {}
    for args, failed in (([], 1), (["--lf"], 1)):
        config = pytest_config.prepare([str(path), "-q", *args], [])
        with pytest_config.cache_in_memory(store):
            assert pytest_config.finish(config) == failed
    assert [*store["cache/lastfailed"]] == [f"{path.name}::test_b"]
    assert not (pytester.path / ".pytest_cache").exists()


def test_an_autouse_fixture_is_registered_on_a_node(module):
    """The fixture serves the node's tests, also those of its classes."""
    pytest_nodes.register_fixture(module, "_ours", lambda request: request, "module")
    item = pytest_nodes.collect_children(children(module)["TestA"])[0]
    assert "_ours" in item.fixturenames


def test_fixtures_come_right_behind_pytests_own(module):
    """`after_registration` calls us behind pytest's registration, or in its place."""
    order: list[str] = []
    for method in ("module", "function"):
        name = f"_register_setup_{method}_fixture"
        original = getattr(module, name)
        setattr(module, name, lambda name=method, call=original: (order.append(name), call()))
    pytest_nodes.after_registration(module, "module", lambda: order.append("ours"))
    pytest_nodes.after_registration(
        module, "function", lambda: order.append("instead"), replace=True
    )
    list(module.collect())
    assert order == ["module", "ours", "instead"]


@pytest.mark.parametrize("method", ["class", "method"])
def test_classes_register_hooks_as_modules_do(module, method):
    """A class has the registration methods that we stand behind."""
    order: list[str] = []
    node = children(module)["TestA"]
    pytest_nodes.after_registration(node, method, lambda: order.append("ours"))
    pytest_nodes.collect_children(node)
    assert order == ["ours"]


def test_a_testcase_registers_its_class_hooks(pytester):
    """The node of a TestCase calls the registration of a class, not that of methods."""
    module = pytester.getmodulecol("""
        import unittest
        class A(unittest.TestCase):
            def test_a(self): pass
    """)
    order: list[str] = []
    node = children(module)["A"]
    pytest_nodes.after_registration(node, "class", lambda: order.append("ours"))
    pytest_nodes.collect_children(node)
    assert order == ["ours"]


def test_children_are_collected_once(module):
    """What was collected early is what pytest collects later, the same nodes."""
    node = children(module)["TestA"]
    early = pytest_nodes.collect_children(node)
    assert [item.name for item in early] == ["test_a"]
    assert list(node.session.genitems(node)) == early


def test_children_that_cannot_be_collected_are_reported_later(module):
    """A class whose collection fails is empty at first, and fails again when pytest collects it."""
    node = children(module)["TestBroken"]
    assert pytest_nodes.collect_children(node) == []
    failed = []

    class Reports:
        def pytest_collectreport(self, report):
            failed.append(report.failed)

    node.config.pluginmanager.register(Reports(), "failed reports")
    try:
        assert list(node.session.genitems(node)) == []
    finally:
        node.config.pluginmanager.unregister(name="failed reports")
    assert failed == [True]


def test_the_place_of_a_node_is_used_in_warnings(module):
    """A node's warning has the place that it was given."""
    node = children(module)["TestA"]
    pytest_nodes.place_node(node, "cell.py", 7)
    with pytest.warns(pytest.PytestCollectionWarning) as caught:
        node.warn(pytest.PytestCollectionWarning("x"))
    assert (caught[0].filename, caught[0].lineno) == ("cell.py", 7)


def test_hooks_of_conftests_serve_a_module_without_a_file(pytester):
    """A node whose path is no file has the hooks of its folder's conftests."""
    pytester.makeconftest("def pytest_runtest_setup(item): pass")
    module = pytester.getmodulecol("")
    manager = module.config.pluginmanager
    (conftest,) = manager._getconftestmodules(pytester.path)
    module.path = pytester.path / "notebook.ipynb"
    assert not manager._getconftestmodules(module.path)
    pytest_nodes.use_conftests_of_folder(module)
    assert list(manager._getconftestmodules(module.path)) == [conftest]


def test_python_hooks_are_found_and_called_as_pytest_does(module):
    """A fixture is no hook; a hook gets its argument if it takes one."""
    assert pytest_nodes.first_hook(module.obj, ("teardown_module",)) is None
    hook = pytest_nodes.first_hook(module.obj, ("setUpModule", "setup_module"))
    assert hook is not None
    pytest_nodes.call_with_optional_argument(hook, module.obj)
    assert module.obj.ran is True


def test_fixtures_are_known():
    """What `pytest.fixture` has made is told from what it has not."""
    assert pytest_nodes.is_fixture(pytest.fixture(lambda: None))
    assert not pytest_nodes.is_fixture(lambda: None)
    assert not pytest_nodes.is_fixture(unittest.mock.Mock())


def test_marks_are_named_in_order(module):
    """The marks of a function are known by name."""
    names = [mark.name for mark in pytest_nodes.marks(module.obj.test_c)]
    assert names == ["usefixtures", "filterwarnings"]


def test_fixtures_of_python_hooks_are_known_by_name(pytester):
    """setup_class and setUpClass are fixtures whose names tell."""
    names: list[str] = []

    class Names:
        @pytest.hookimpl(tryfirst=True)
        def pytest_fixture_setup(self, fixturedef):
            if pytest_nodes.is_python_hook(fixturedef) or pytest_nodes.is_unittest_hook(fixturedef):
                names.append(fixturedef.argname)
                pytest_nodes.replace_function(fixturedef, fixturedef.func)

    pytester.makepyfile("""
        import unittest
        class TestA:
            def setup_class(cls): pass
            def setup_method(self): pass
            def test_a(self): pass
        class B(unittest.TestCase):
            @classmethod
            def setUpClass(cls): pass
            def test_b(self): pass
    """)
    assert pytester.inline_run(plugins=[Names()]).ret == 0
    assert len(names) == 2


def test_an_item_runs_the_instance_that_it_is_given(pytester):
    """Also of a class whose instances pytest could not make, and under another name."""
    ran = []

    class Adds:
        def pytest_collection_modifyitems(self, items):
            test = unittest.FunctionTestCase(lambda: ran.append("function"))
            node = pytest_nodes.testcase_node(items[0].parent, test)
            pytest_nodes.collect_children(node)
            items.append(pytest_nodes.testcase_item(node, "some name", test))

    module = pytester.makepyfile("def test_a(): pass")
    result = pytester.inline_run(module, plugins=[Adds()])
    assert ran == ["function"]
    assert result.getreports("pytest_runtest_logreport")[-1].nodeid.endswith("::some name")


def test_rewritten_asserts_explain_and_compile():
    """The rewritten tree compiles statement by statement and tells the values."""
    tree = ast.parse("def f(x):\n    assert x == 2\n")
    pytest_nodes.rewrite_asserts(tree, "cell")
    namespace: dict[str, object] = {}
    for node in tree.body:
        exec(compile(ast.Module([node], []), "<test>", "exec"), namespace)
    assert set(pytest_nodes.REWRITING_NAMES) <= set(namespace)
    with pytest.raises(AssertionError, match="1 == 2"):
        namespace["f"](1)  # type: ignore[operator]


def test_module_cleanups_are_unittests_list():
    """What addModuleCleanup adds is in the list, as function, args and kwargs."""
    before = list(pytest_nodes.module_cleanups())
    unittest.addModuleCleanup(print, 1, end="")
    try:
        assert pytest_nodes.module_cleanups()[len(before) :] == [(print, (1,), {"end": ""})]
    finally:
        pytest_nodes.module_cleanups()[:] = before


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell.instance()
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_cells_are_named_and_numbered(shell):
    """The compiler names a cell's code, and a number makes it `Cell In[n]` in tracebacks."""
    name = ipython.cell_filename(shell, "x = 1", "x = 1", 3)
    assert isinstance(name, str)
    ipython.number_cell(shell, name, 7)
    if version_info < (8,):
        return  # its tracebacks call cells by their files
    assert shell.compile.format_code_name(name) == ("Cell", "In[7]")


def test_a_shell_without_kernel(shell):
    """In a terminal there is no request, no stdin channel and no notebook."""
    assert ipython.execute_metadata(shell) == {}
    ipython.refuse_input(shell, refuse=True)
    with pytest.raises(RuntimeError, match="needs a Jupyter kernel"):
        ipython.StdinChannel(shell)


def test_the_notebook_path_is_the_front_ends(shell, tmp_path, monkeypatch):
    """VS Code and Jupyter say where the notebook is; anything but an .ipynb file is ignored."""
    path = tmp_path / "nb.ipynb"
    path.touch()
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert ipython.notebook_path(shell) is None
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert ipython.notebook_path(shell) == path
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1")
    assert ipython.notebook_path(shell) is None
    monkeypatch.setitem(shell.user_ns, "__vsc_ipynb_file__", str(path))
    assert ipython.notebook_path(shell) == path


def test_the_kernel_has_what_the_wire_needs(tmp_path):
    """A request's metadata and sender and the permission to ask are where the kernel looks."""
    look = """
from nbxunit.kernel.compat import config as pytest_config, ipython
shell = get_ipython()
channel = ipython.StdinChannel(shell)
ipython.refuse_input(shell, refuse=False)
asked = shell.kernel._allow_stdin
ipython.refuse_input(shell, refuse=True)
channel.mark_output("behind")
print(dict(ipython.execute_metadata(shell))["cellId"], bool(channel._ident), asked)
input("refused: ")
"""
    with live.started(tmp_path) as kernel:
        reply = kernel.run(look, "the-cell")
    assert "the-cell True True" in reply.text
    assert reply.error == "StdinNotImplementedError"


def test_debug_lands_at_an_exception(shell, capsys, monkeypatch):
    """`debug_next` makes `%debug` look at the frame that raised, whatever else has been shown."""
    shell.run_cell("1 / 0")
    try:
        secret = 42
        raise ValueError(secret)
    except ValueError as exc:
        ipython.debug_next(shell, exc)
    monkeypatch.setattr("sys.stdin", io.StringIO("p secret + 1\nq\n"))
    shell.InteractiveTB.pdb = shell.InteractiveTB.debugger_cls(stdin=sys.stdin)
    shell.InteractiveTB.pdb.use_rawinput = False
    shell.InteractiveTB.debugger(force=True)
    assert "43" in capsys.readouterr().out


def test_code_at_line_one():
    """All lines of such code are line 1 of the file, in tracing and in a traceback."""

    def raises(n):
        for _ in range(n):
            n += 1
        return 1 / (n - n)

    raises.__code__ = pytest_nodes.code_at_line_one(raises.__code__, "cell.py")
    assert {line for _, _, line in raises.__code__.co_lines()} == {1}
    with pytest.raises(ZeroDivisionError) as caught:
        raises(3)
    frame = caught.tb.tb_next
    assert (frame.tb_lineno, frame.tb_frame.f_code.co_filename) == (1, "cell.py")


def test_capture_into_a_folder(pytester, tmp_path):
    """What pytest captures while it is prepared so stands in files that others can read."""
    pytester.makepyfile("""
        import os, sys
        def test_a():
            print("out")
            print("err", file=sys.stderr)
            assert open(os.environ["FOLDER"] + "/stdout").read() == "out\\n"
            assert open(os.environ["FOLDER"] + "/stderr").read() == "err\\n"
    """)
    pytester._monkeypatch.setenv("FOLDER", str(tmp_path))
    code = f"""if True:
        from pathlib import Path
        from nbxunit.kernel.compat import config as pytest_config
        with pytest_config.capture_into(Path({str(tmp_path)!r})):
            config = pytest_config.prepare([{str(pytester.path)!r}], [])
        raise SystemExit(pytest_config.finish(config))
    """
    assert pytester.run(sys.executable, "-c", code).ret == 0


def test_paths_of_notebooks_are_literal(pytester):
    """While a run is finished, a notebook's path is no node id, whatever signs are in it."""
    for name in ("a::b.ipynb", "a[1].ipynb", "a.ipynb"):
        path = pytester.path / name
        path.touch()
        config = pytest_config.prepare([str(path)], [])
        config.args = [str(path)]
        try:
            with pytest_config._literal_arguments():
                from _pytest import main

                found = main.resolve_collection_argument(pytester.path, str(path), *_index())
            assert found.path == path
        finally:
            pytest_config.unconfigure(config)


def _index() -> list[int]:
    """The argument that pytest 9 has more."""
    from _pytest import main

    return [0] if "original_index" in main.CollectionArgument.__annotations__ else []


@pytest.mark.parametrize(
    ("metadata", "filename", "cell"),
    [
        ({"cellId": "a1"}, "/tmp/ipykernel_1/2.py", "a1"),
        ({"colab": {"cell_id": "x-Y"}}, "/tmp/ipykernel_1/2.py", "x-Y"),
        ({"colab": None}, "<ipython-input-1>", ""),
        ({}, "/root/.ipykernel/77/command-4711-815", "4711"),
        ({}, "/home/me/command-4711-815/module.py", ""),
        ({"cellId": "a1"}, "/root/.ipykernel/77/command-4711-815", "a1"),
    ],
)
def test_front_ends_tell_cells_apart(metadata, filename, cell):
    """A cell's id is where its front end puts it; empty where there is none."""
    assert ipython.cell_id(metadata, filename) == cell


def test_lines_are_there_where_ipython_keeps_its_own(monkeypatch):
    """Lines of a cell survive that IPython 7 puts its own back before each traceback."""
    kept = {}
    monkeypatch.setattr(linecache, "_ipython_cache", kept, raising=False)
    ipython.cache_lines("<a cell>", ["x = 1\n"])
    linecache.cache.update(kept)
    assert linecache.getline("<a cell>", 1) == "x = 1\n"


def test_the_module_of_a_given_namespace_is_a_module(shell, monkeypatch):
    """A stand-in for `__main__`, as older IPythons have it, is a module whose names can be set."""

    class StandIn:
        __spec__ = None

    stand_in = StandIn()
    stand_in.__dict__ = {"__name__": "__main__", "a": 1}
    assert ipython.main_module(shell) is shell.user_module
    monkeypatch.setattr(shell, "user_module", stand_in)
    module = ipython.main_module(shell)
    assert isinstance(module, types.ModuleType)
    module.b = 2
    del module.a
    assert vars(module) == {"__name__": "__main__", "b": 2}
    assert "b" in dir(module)


def test_code_of_a_cell_is_known():
    """Whether code of the notebook is running is told by its namespace."""
    namespace = {"is_in_cell": ipython.is_in_cell}
    namespace["namespace"] = namespace
    exec("def f(): return is_in_cell(namespace)\ninside = f()", namespace)
    assert namespace["inside"]
    assert not ipython.is_in_cell(namespace)


def test_importing_surrounds_a_cell_as_a_module(pytester):
    """Filters of pytest and of earlier cells hold within, warnings are told, variables are set."""
    told, state = [], contextvars.ContextVar("state", default="unset")

    class Told:
        def pytest_warning_recorded(self, warning_message, when):
            told.append((str(warning_message.message), when))

    filters = ["-W", "default", "-W", "error::FutureWarning"]
    config = pytest_config.prepare([str(pytester.path), *filters], [Told()])
    context = contextvars.copy_context()
    importing = context.run(Importing, config, lambda: state.set("begun"))
    assert state.get() == "unset"
    before = list(warnings.filters)
    with importing():
        assert state.get() == "begun"
        with pytest.raises(FutureWarning):
            warnings.warn("new", FutureWarning, stacklevel=1)
        warnings.warn("told", stacklevel=1)
        warnings.filterwarnings("ignore")
    with importing():
        warnings.warn("not told", stacklevel=1)
    assert warnings.filters == before
    assert told == [("told", "collect")]
    pytest_config.unconfigure(config)


def test_a_session_that_has_begun_is_finished(pytester):
    """`finish` runs the session that it is given, and later ones are begun as ever."""
    pytester.makepyfile("def test_a(): pass")
    begun = []

    class Begins:
        def pytest_sessionstart(self, session):
            begun.append(session)

    for _ in range(2):
        config = pytest_config.prepare([str(pytester.path), "-p", "no:cacheprovider"], [Begins()])
        session = sessions.begin_session(config)
        assert pytest_config.finish(config, session) == pytest.ExitCode.OK
        assert begun == [session]
        begun.clear()
    config = pytest_config.prepare([str(pytester.path), "-p", "no:cacheprovider"], [Begins()])
    assert pytest_config.finish(config) == pytest.ExitCode.OK
    assert len(begun) == 1


def test_what_the_shell_has_parsed_is_kept_for_tracebacks(shell):
    """It is the cell as transformed, in the cache of lines, before the cell's tree is transformed."""
    name = shell.compile.cache("x = 1\n", 3, raw_code="%x 1")
    assert ipython.cached_text(name) == "x = 1\n"


def test_a_shell_is_asked_once_what_a_cell_becomes(shell):
    """Twice the same answer for the cell, without work; others are asked; behind it nothing is left."""
    asked = []
    shell.input_transformers_post.append(lambda lines: asked.append(lines) or lines)
    try:
        with cells_requests.asked_once(shell, "await x"):
            texts = {shell.transform_cell("await x") for _ in range(2)}
            shell.transform_cell("y")
            again = [
                shell.should_run_async("await x", transformed_cell=text)
                for text in (*texts, "await x", *texts)
            ]
    finally:
        shell.input_transformers_post.pop()
    assert (len(texts), len(asked)) == (1, 2)
    assert again == [True] * 3
    assert not vars(shell).keys() & {"transform_cell", "should_run_async"}


def test_what_differs_from_subtest_to_subtest_is_as_pytest_serialises_it(pytester):
    """What is told of a plain report is all in which its data differ from those of the one before."""
    pytest.importorskip("_pytest.subtests")
    module = pytester.makepyfile(
        "def test_a(subtests):\n    for i in range(2):\n        with subtests.test(i=i): pass"
    )
    found = pytester.inline_run(module).getreports("pytest_runtest_logreport")
    first, second = (each for each in found if hasattr(each, "context"))
    assert all(map(subtests.is_plain, found))
    setup, *_, call, teardown = found
    assert subtests.changes(call, vars(second)) is None  # a test's behind that of a subtest
    assert subtests.changes(teardown, vars(setup)).keys() == {"when", "duration", "start", "stop"}
    before, after = first._to_json(), second._to_json()
    assert subtests.changes(second, vars(first)) == {
        name: value for name, value in after.items() if value != before[name]
    }
    second.outcome = "skipped"
    assert subtests.changes(second, vars(first)) is None
    second.of_a_plugin = 1
    assert not subtests.is_plain(second)


def test_a_plugin_may_have_a_say_in_how_reports_become_data(pytester):
    """Another implementation of pytest's hook is seen."""

    class Adds:
        def pytest_report_to_serializable(self):
            """One more."""

    config = pytester.parseconfigure("-p", "no:nbxunit", str(pytester.path))
    assert subtests.is_serialised_alone(config)
    config.pluginmanager.register(Adds())
    assert not subtests.is_serialised_alone(config)
