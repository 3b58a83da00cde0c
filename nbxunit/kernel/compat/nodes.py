"""Private names of pytest and unittest about nodes, fixtures, asserts and test cases.

The other half of `compat`, under the same rules: nothing else uses any, each function says why no
public name will do, and each has a test in `tests/kernel/compat/test_compat.py`.
"""

from __future__ import annotations

import ast
import types
import unittest.case
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from doctest import DocTest

    import pytest

REWRITING_NAMES = ("@py_builtins", "@pytest_ar")
"""The names that pytest's assertion rewriting binds at the top of what it rewrites."""


# --- collection and fixtures ------------------------------------------------------------


def register_fixture(
    node: pytest.Collector, name: str, func: Callable[..., Any], scope: str
) -> None:
    """Register an autouse fixture on `node` (`pytest.register_fixture` is public since 9.1)."""
    import pytest

    public = getattr(pytest, "register_fixture", None)
    if public is not None:
        public(name=name, func=func, node=node, scope=scope, autouse=True)
        return
    manager = node.session._fixturemanager  # noqa: SLF001
    manager._register_fixture(  # noqa: SLF001
        name=name, func=func, nodeid=node.nodeid, scope=cast(Any, scope), autouse=True
    )


def register_named_fixture(
    node: pytest.Collector, nodeid: str, name: str, func: Callable[..., Any], scope: str
) -> None:
    """Register a fixture for what is below `nodeid`: the id of `node`, or of a function in it.

    The public function wants a node, and a function's is made when its fixtures are looked up.
    """
    import pytest

    public = getattr(pytest, "register_fixture", None)
    if public is not None and nodeid == node.nodeid:
        public(name=name, func=func, node=node, scope=scope)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest 9.2 warns of what is registered by an id
        node.session._fixturemanager._register_fixture(  # noqa: SLF001
            name=name, func=func, nodeid=nodeid, scope=cast(Any, scope)
        )


def after_registration(
    node: pytest.Collector, method: str, then: Callable[[], None], *, replace: bool = False
) -> None:
    """Let `node` call `then` after (or in place of) its own `_register_setup_<method>_fixture`.

    Our fixtures must stand right behind pytest's own xunit ones, and there is no hook in between.
    """
    name = f"_register_setup_{method}_fixture"
    original = getattr(node, name)

    def register() -> None:
        if not replace:
            original()
        then()

    setattr(node, name, register)


def use_conftests_of_folder(node: pytest.Module) -> None:
    """Let the conftests of the folder of `node` act on its tests, also where its path is no file.

    pytest takes such a path for a folder, where it finds no conftest, and then leaves out the hooks
    of those that are loaded.
    """
    if not node.path.is_file():
        manager = node.config.pluginmanager
        confmods = manager._getconftestmodules(node.path.parent)  # noqa: SLF001
        manager._dirpath2confmods[node.path] = list(confmods)  # noqa: SLF001


def collect_children(node: pytest.Collector) -> list[pytest.Item | pytest.Collector]:
    """What `node` collects; pytest will be given the same, as it registers fixtures meanwhile.

    Not left to the session's cache: what is found there is not reported if it has failed, and pytest
    before 8.3 takes it for a duplicate and drops it.
    """
    report, _ = node.session._collect_one_node(node)  # noqa: SLF001
    node.session._collection_cache.pop(node, None)  # noqa: SLF001
    if not report.passed:
        return []
    children = list(report.result)
    node.collect = lambda: children  # type: ignore[method-assign]
    return children


def doctest_item(parent: pytest.Module, name: str, test: DocTest) -> pytest.Item:
    """An item that runs `test` as pytest runs those of a module: it makes them for whole modules only."""
    import doctest
    from unittest import mock

    from _pytest import doctest as pytest_doctest

    runner = pytest_doctest._get_runner(  # noqa: SLF001
        verbose=False,
        optionflags=pytest_doctest.get_optionflags(parent.config),
        checker=pytest_doctest._get_checker(),  # noqa: SLF001
        continue_on_failure=pytest_doctest._get_continue_on_failure(parent.config),  # noqa: SLF001
    )
    item: Any = pytest_doctest.DoctestItem.from_parent(
        cast("Any", parent), name=name, runner=runner, dtest=test
    )
    run = item.runtest

    def runtest() -> None:
        # doctest calls `pdb.Pdb` for its own debugger, which derives from the one that was there first;
        # ipykernel puts IPython's there. And sys.displayhook leaves `_` where IPython must not see it.
        first = doctest._OutputRedirectingPdb.__bases__[0]  # type: ignore[attr-defined]  # noqa: SLF001
        with mock.patch("pdb.Pdb", first), mock.patch("builtins._", None, create=True):
            run()

    item.runtest = runtest
    return cast("pytest.Item", item)


def place_node(node: Any, filename: str, line: int) -> None:
    """Let pytest take this for the place of `node`; of a class in a cell it can find none."""
    node.location = (filename, line - 1, node.name)


def code_at_line_one(code: types.CodeType, filename: str) -> types.CodeType:
    """`code` as if all of it stood in line 1 of `filename`, where no breakpoint of a cell is.

    There is no public way to write a table of lines: an entry is a byte with the kind (13: no
    columns) and the number of instructions less one, and how many lines to go on by.
    """
    count = len(code.co_code) // 2
    sizes = [min(8, count - at) for at in range(0, count, 8)]
    table = b"".join(bytes([0x80 | 13 << 3 | size - 1, 0]) for size in sizes)
    return code.replace(co_filename=filename, co_firstlineno=1, co_linetable=table)


def first_hook(obj: object, names: Sequence[str]) -> Callable[..., object] | None:
    """The first of the named functions of `obj` that is no fixture (pytest's lookup)."""
    from _pytest.python import _get_first_non_fixture_func

    return cast("Callable[..., object] | None", _get_first_non_fixture_func(obj, names))


def is_fixture(obj: object) -> bool:
    """Whether `obj` is what `pytest.fixture` makes of a function."""
    from _pytest.fixtures import FixtureFunctionMarker, getfixturemarker

    return isinstance(getfixturemarker(obj), FixtureFunctionMarker)


def fixture_name(obj: object) -> str | None:
    """The name that `pytest.fixture(name=...)` gives a fixture, if it does."""
    from _pytest.fixtures import getfixturemarker

    return getattr(getfixturemarker(obj), "name", None)


def call_with_optional_argument(func: Callable[..., object], argument: object) -> None:
    """Call a Python hook as pytest does: with its argument if it takes one."""
    __tracebackhide__ = True
    from _pytest.python import _call_with_optional_argument

    _call_with_optional_argument(func, argument)


def marks(obj: object) -> list[pytest.Mark]:
    """The marks on a module, class or function, in the order in which they were applied."""
    from _pytest.mark.structures import get_unpacked_marks

    return list(get_unpacked_marks(cast(Any, obj)))


# --- assertions -------------------------------------------------------------------------


def rewrite_asserts(tree: ast.Module, filename: str) -> None:
    """Let the assert statements of `tree` report their values (there is no public function).

    It warns of the tuples that we speak of ourselves, at the cell and line.
    """
    import pytest
    from _pytest.assertion.rewrite import rewrite_asserts as rewrite

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pytest.PytestAssertRewriteWarning)
        rewrite(tree, b"", filename)
    for node in tree.body:
        # The added imports lack an end, and IPython compiles each statement by its lines.
        if isinstance(node, ast.Import) and node.names[0].asname in REWRITING_NAMES:
            node.lineno = node.end_lineno = getattr(node, "lineno", 1)
            node.col_offset = node.end_col_offset = 0


def is_rewritten(code: types.CodeType) -> bool:
    """Whether the asserts in `code` say their values themselves."""
    names = (*code.co_names, *code.co_varnames, *code.co_cellvars, *code.co_freevars)
    return any(name in names for name in REWRITING_NAMES)


def compared(operator: str, left: object, right: object) -> str | None:
    """How two values differ, as pytest says it of a rewritten assert; None outside a test."""
    from _pytest.assertion import util

    text = util._reprcompare(operator, left, right) if util._reprcompare is not None else None  # noqa: SLF001
    return text.replace("\n~", "\n  ").replace("%%", "%") if text else None


def short_repr(value: object) -> str:
    """The repr of a value as an assert shows it: short, and without the errors of its own code."""
    from _pytest._io.saferepr import saferepr

    return saferepr(value)


def excinfos(item: pytest.Item, call: pytest.CallInfo[Any]) -> list[pytest.ExceptionInfo[Any]]:
    """What a phase of a test has raised; that of a TestCase stands in the item."""
    found = getattr(item, "_excinfo", None) or []
    return [*([call.excinfo] if call.excinfo is not None else []), *found]


def stripped(excinfo: pytest.ExceptionInfo[Any]) -> pytest.ExceptionInfo[Any]:
    """The same for an exception whose message has changed: pytest looks at it when it makes one."""
    import pytest

    return pytest.ExceptionInfo.from_exception(excinfo.value)


# --- unittest -----------------------------------------------------------------------------------


def module_cleanups() -> list[tuple[Callable[..., object], Any, Any]]:
    """Unittest's stack of module cleanups; `doModuleCleanups` drops all errors but the first."""
    return unittest.case._module_cleanups  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def testcase_node(parent: pytest.Collector, test: unittest.TestCase) -> pytest.Class:
    """A node for the class of `test`, which pytest could not make an instance of."""
    from _pytest.unittest import UnitTestCase

    node: Any = UnitTestCase.from_parent(parent, name=type(test).__name__)
    node.obj = type(test)
    node.newinstance = lambda: test
    return cast("pytest.Class", node)


def testcase_item(node: pytest.Class, name: str, test: unittest.TestCase) -> pytest.Item:
    """An item that runs `test`, which pytest does not collect by itself."""
    from _pytest.unittest import TestCaseFunction

    method = test._testMethodName  # noqa: SLF001
    item: Any = TestCaseFunction.from_parent(node, name=name, callobj=getattr(test, method))
    item.originalname = method
    use_instance(item, test)
    item.ihook.pytest_itemcollected(item=item)
    return cast("pytest.Item", item)


def use_instance(item: Any, test: unittest.TestCase) -> None:
    """Let `item` run the instance `test`, and not make one."""
    item._obj = getattr(test, test._testMethodName)  # noqa: SLF001
    item._instance = test  # noqa: SLF001
    item._getinstance = lambda: test  # noqa: SLF001


def replace_function(fixturedef: Any, function: Callable[..., Any]) -> None:
    """Let pytest call `function` for a fixture, with its own caching, binding and teardown."""
    fixturedef.func = function


def is_python_hook(fixturedef: Any) -> bool:
    """Whether a fixture is pytest's form of setup_class."""
    return str(fixturedef.argname).startswith("_xunit_setup_class")


def is_unittest_hook(fixturedef: Any) -> bool:
    """Whether a fixture is pytest's form of setUpClass."""
    return str(fixturedef.argname).startswith("_unittest_setUpClass")
