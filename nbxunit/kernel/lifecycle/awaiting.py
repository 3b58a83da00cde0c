"""Coroutine tests and async fixtures on the kernel's event loop, where no other plugin claims them.

May import pytest. How pytest's synchronous code comes to wait for a coroutine is `bridge`'s.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NoReturn

import pytest

from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.lifecycle import bridge, unittest_rules

_CLAIMS = {"asyncio": "asyncio", "anyio": "anyio", "trio": "trio", "tornado": "tornado"}


def claimed(config: pytest.Config, item: pytest.Item | None, fixturenames: Any = ()) -> bool:
    """Whether a plugin for coroutines takes a test: by its mark, its mode or its fixture."""
    manager = config.pluginmanager
    if manager.hasplugin("asyncio"):
        mode = config.getoption("asyncio_mode", None) or config.getini("asyncio_mode")
        if str(getattr(mode, "value", mode)) == "auto":
            return True
    if manager.hasplugin("anyio") and "anyio_backend" in fixturenames:
        return True
    return item is not None and any(
        manager.hasplugin(plugin) and item.get_closest_marker(mark) is not None
        for mark, plugin in _CLAIMS.items()
    )


class Awaiting:
    """The plugin that awaits what nobody else would, and fails what nobody can."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        """Let pytest call a synchronous form of a coroutine test, which awaits it.

        A decorator around a coroutine function may await it itself, by asyncio.run say: what it
        returns tells.
        """
        if inspect.iscoroutinefunction(inspect.unwrap(pyfuncitem.obj)) and not claimed(
            pyfuncitem.config, pyfuncitem, pyfuncitem.fixturenames
        ):
            pyfuncitem.obj = _awaiting(pyfuncitem.obj)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Fail an `async def` method of a plain TestCase, which unittest would take for passed."""
        if not unittest_rules.never_awaits(item):
            return
        function: Any = item.obj  # type: ignore[attr-defined]
        if inspect.iscoroutinefunction(function):
            _fail_unawaited(item.name)
        if inspect.iscoroutinefunction(inspect.unwrap(function)):
            item.obj = _refusing_coroutine(function)  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: pytest.FixtureRequest) -> None:
        """Let pytest call a synchronous form of an async fixture, which awaits it."""
        function = fixturedef.func
        is_generator = inspect.isasyncgenfunction(function)
        if not is_generator and not inspect.iscoroutinefunction(function):
            return
        item = request.node if isinstance(request.node, pytest.Item) else None
        by_asyncio = getattr(function, "_force_asyncio_fixture", False)
        if not by_asyncio and not claimed(request.config, item, request.fixturenames):
            synchronous = _synchronous_generator if is_generator else _synchronous
            pytest_nodes.replace_function(fixturedef, synchronous(function))


def _awaiting(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def test(*args: object, **kwargs: object) -> object:
        __tracebackhide__ = True
        result = function(*args, **kwargs)
        return bridge.wait(result) if inspect.isawaitable(result) else result

    return test


def _refusing_coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def test() -> object:
        __tracebackhide__ = True
        result = function()
        if inspect.iscoroutine(result):
            result.close()
            _fail_unawaited(function.__name__)
        return result

    return test


def _fail_unawaited(name: str) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(
        f"{name} is async def in a TestCase that awaits nothing, so it would never run; derive the "
        "class from unittest.IsolatedAsyncioTestCase",
        pytrace=False,
    )


def _synchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    def fixture(*args: object, **kwargs: object) -> object:
        __tracebackhide__ = True
        return bridge.wait(function(*args, **kwargs))

    return fixture


def _synchronous_generator(function: Callable[..., Any]) -> Callable[..., Any]:
    def fixture(*args: object, **kwargs: object) -> Iterator[object]:
        __tracebackhide__ = True
        generator = function(*args, **kwargs)
        yield bridge.wait(anext(generator))
        bridge.wait(_finish(generator, function.__name__))

    return fixture


async def _finish(generator: AsyncIterator[object], name: str) -> None:
    async for _ in generator:
        pytest.fail(f"the async fixture {name} yields more than once", pytrace=False)
