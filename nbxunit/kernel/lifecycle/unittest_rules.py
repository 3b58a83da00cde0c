"""What unittest does and pytest does not: module cleanups, load_tests, skips in teardowns.

May import pytest. Rules are those of the documentation of `unittest`; setUp, cleanups and subTest need nothing here,
since pytest leaves them to `unittest.TestCase` itself.
"""

from __future__ import annotations

import unittest
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

import pytest

from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import scopes

TestCaseNodes = Callable[[unittest.TestCase], pytest.Class]
"""Gives the node of a test's class."""


def register_module_fixture(node: pytest.Module, namespace: MutableMapping[str, object]) -> None:
    """Register setup_module/setUpModule, their teardown and the module cleanups as one fixture.

    Cleanups run after tearDownModule, last added first, also when setUpModule failed or there is
    none, each even if others raise (unittest.addModuleCleanup).
    """
    setup = pytest_nodes.first_hook(node.obj, ("setUpModule", "setup_module"))
    teardown = pytest_nodes.first_hook(node.obj, ("tearDownModule", "teardown_module"))
    at_import = list(pytest_nodes.module_cleanups())

    def fixture() -> Iterator[None]:  # for a `request` pytest would take longer with each test
        __tracebackhide__ = True
        cleanups = pytest_nodes.module_cleanups()
        # The list belongs to the process: each run starts with what was added at import.
        cleanups[:] = at_import
        frame = scopes.Frame("module", namespace)
        frame.open()
        errors: list[BaseException] = []
        try:
            if setup is not None:
                pytest_nodes.call_with_optional_argument(setup, node.obj)
        except BaseException as exc:  # noqa: BLE001 - raised below with those of the cleanups
            errors.append(exc)
        else:
            yield
            try:
                if teardown is not None:
                    pytest_nodes.call_with_optional_argument(teardown, node.obj)
            except BaseException as exc:  # noqa: BLE001 - raised below with those of the cleanups
                errors.append(exc)
        while cleanups:
            function, args, kwargs = cleanups.pop()
            frame_cleanup_errors(function, args, kwargs, errors)
        cleanups[:] = at_import
        frame.close(errors, None)

    pytest_nodes.register_fixture(node, f"_nbxunit_python_module_{node.nodeid}", fixture, "module")


def frame_cleanup_errors(
    function: Any, args: Any, kwargs: Any, errors: list[BaseException]
) -> None:
    """Call a module cleanup and keep what it raises."""
    try:
        function(*args, **kwargs)
    except BaseException as exc:  # noqa: BLE001 - the others run, then all are raised
        errors.append(exc)


def class_fixture(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run setUpClass, tearDownClass and the class cleanups, and raise all that they raise.

    pytest's own fixture raises what a cleanup raised instead of what setUpClass or tearDownClass
    did, so that a SkipTest in a cleanup would hide their failure.
    """
    __tracebackhide__ = True
    cls: Any = request.cls
    if getattr(cls, "__unittest_skip__", False):
        raise pytest.skip.Exception(cls.__unittest_skip_why__, _use_item_location=True)
    errors: list[BaseException] = []
    try:
        cls.setUpClass()
    except BaseException as exc:  # noqa: BLE001 - raised below with those of the cleanups
        errors.append(exc)
    else:
        yield
        try:
            cls.tearDownClass()
        except BaseException as exc:  # noqa: BLE001 - raised below with those of the cleanups
            errors.append(exc)
    try:
        cls.doClassCleanups()
    except BaseException as exc:  # noqa: BLE001 - unittest lets all but an Exception out
        errors.append(exc)
    errors += [exc for _, exc, _ in cls.tearDown_exceptions]
    scopes.raise_all(f"class {cls.__qualname__}", errors)


class LoadTests:
    """The suite of a module's `load_tests`, as items in its order.

    `unittest` calls load_tests(loader, standard_tests, pattern) and runs the suite it returns: the
    very instances that are in it, which may hold data of their own, or be functions and doctests.
    """

    def __init__(self, module: object, items: Iterable[pytest.Item], nodes: TestCaseNodes) -> None:
        collected = {key: item for item in items if (key := _test_key(item)) is not None}
        classes = dict.fromkeys(cls for cls, _ in collected)
        loader = unittest.TestLoader()
        standard = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
        suite = module.load_tests(loader, standard, None)  # type: ignore[attr-defined]
        self.errors: list[str] = []
        self._chosen: list[pytest.Item] = []
        names: Counter[tuple[type, str]] = Counter()
        for test in _flat(suite):
            if not isinstance(test, unittest.TestCase):
                self.errors.append(f"load_tests: {test!r} is no unittest.TestCase")
                continue
            cls, method = type(test), test._testMethodName  # noqa: SLF001
            item: Any = collected.pop((cls, method), None)
            name = item.name if item is not None else _name_in_suite(test)
            names[cls, name] += 1
            if item is None:
                if names[cls, name] > 1:
                    name = f"{name}[{names[cls, name]}]"
                item = pytest_nodes.testcase_item(nodes(test), name, test)
            pytest_nodes.use_instance(item, test)
            self._chosen.append(item)

    def apply(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """Put the suite in the place of the TestCases' `items`; what it leaves out is returned."""
        cases = [item for item in items if _test_key(item) is not None]
        position = items.index(cases[0]) if cases else len(items)
        others = [item for item in items if item not in cases]
        items[:] = [*others[:position], *self._chosen, *others[position:]]
        return [item for item in cases if item not in self._chosen]


def _name_in_suite(test: unittest.TestCase) -> str:
    """The name of a test that pytest has not collected: a function's, a doctest's, a method's."""
    own_id = type(test).id is not unittest.TestCase.id
    name = test.id().rpartition(".")[2] if own_id else ""
    return name or str(test._testMethodName)  # noqa: SLF001


def _flat(suite: Any) -> Iterator[Any]:
    if isinstance(suite, unittest.TestSuite):
        for test in suite:
            yield from _flat(test)
    else:
        yield suite


def is_of_unittest(obj: object) -> bool:
    """Whether `obj` is a class that unittest itself offers, such as FunctionTestCase: no test."""
    return isinstance(obj, type) and getattr(unittest, obj.__name__, None) is obj


def is_mixin(obj: object, beside: Iterable[object]) -> bool:
    """Whether `obj` is a plain class that a TestCase `beside` it derives from.

    Its tests are those of the TestCase, whose assert methods they use: unittest runs them there,
    and pytest, where the name fits, by themselves as well.
    """
    return (
        isinstance(obj, type)
        and not issubclass(obj, unittest.TestCase)
        and any(
            isinstance(other, type)
            and issubclass(other, obj)
            and issubclass(other, unittest.TestCase)
            for other in beside
        )
    )


def _test_key(item: pytest.Item) -> tuple[type, str] | None:
    cls = getattr(item, "cls", None)
    if isinstance(cls, type) and issubclass(cls, unittest.TestCase):
        return cls, getattr(item, "originalname", None) or item.name
    return None


def never_awaits(item: pytest.Item) -> bool:
    """Whether `item` is a method of a TestCase that would not await a coroutine.

    unittest calls it, warns that it returned a coroutine, and takes it for passed.
    """
    key = _test_key(item)
    if key is None or issubclass(key[0], unittest.IsolatedAsyncioTestCase):
        return False
    return all(
        getattr(key[0], method, None) is getattr(unittest.TestCase, method, None)
        for method in ("_callTestMethod", "run", "__call__")
    )


def skip_of(exc: BaseException) -> BaseException | None:
    """The first of the skips that `exc` is made of, if it is made of skips alone.

    A SkipTest in tearDownClass and in tearDownModule is a skip, as in unittest, also in both.
    """
    if isinstance(exc, BaseExceptionGroup):
        skips = [skip_of(inner) for inner in exc.exceptions]
        return skips[0] if all(skips) else None
    if isinstance(exc, scopes.HookExit) and exc.__cause__ is not None:
        exc = exc.__cause__
    return exc if isinstance(exc, (unittest.SkipTest, pytest.skip.Exception)) else None


def support_subtests(item: pytest.Item, *, failfast: bool) -> None:
    """Let `-x` end a test at its first failed subTest, as unittest's -f does.

    Before pytest 9, also let a TestCase test go on after a failed subTest, and report that.
    """
    if not hasattr(item, "addError"):
        return
    item.failfast = failfast  # type: ignore[attr-defined]
    if hasattr(item, "addSubTest"):
        return

    def add_subtest(_: object, subtest: Any, raised: Any) -> None:
        if raised is None:
            return

        def fail() -> None:
            __tracebackhide__ = True
            raise raised[1].with_traceback(raised[2])

        call = pytest.CallInfo.from_call(fail, "call")
        report = pytest.TestReport.from_item_and_call(item, call)
        report.sections.append(("subtest", subtest._subDescription()))  # noqa: SLF001 - unittest's
        item.ihook.pytest_runtest_logreport(report=report)

    item.addSubTest = add_subtest  # type: ignore[attr-defined]
