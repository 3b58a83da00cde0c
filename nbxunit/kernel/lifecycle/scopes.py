"""The scopes that are open while tests run: their cleanups, contexts, and names to put back.

Imports neither IPython nor pytest. A `Frame` is one opened scope; what hooks and tests do to it goes
through `nbxunit.add_cleanup` and its kind. Which hooks run when is `collection`'s.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import Any, TypeVar, cast

from nbxunit.kernel.lifecycle import bridge

T = TypeVar("T")

_MISSING: Any = object()
_open: list[Frame] = []


def running() -> Frame:
    """The scope of the hook or test that is running. RuntimeError when there is none."""
    if not _open:
        raise RuntimeError(
            "no hook or test is running, so there is no scope that a cleanup could belong to; "
            "call this from a %%xunit_setup, %%xunit_teardown or %%xunit_test cell"
        )
    return _open[-1]


class Frame:
    """One opened scope.

    `label` is how messages name it.
    """

    def __init__(self, label: str, namespace: MutableMapping[str, object]) -> None:
        self.label = label
        self._namespace = namespace
        self._cleanups: list[Callable[[], object]] = []
        self._saved: dict[str, object] = {}

    # --- cleanups ---

    def add_cleanup(self, function: Callable[..., object], /, *args: object, **kwargs: Any) -> None:
        """See `nbxunit.add_cleanup`."""
        if not callable(function):
            raise TypeError(f"a cleanup is a function, not {function!r}")

        def cleanup() -> object:
            result = function(*args, **kwargs)
            if inspect.iscoroutine(result):
                result.close()
                name = getattr(function, "__qualname__", function)
                raise TypeError(f"the cleanup {name} is async: use nbxunit.add_async_cleanup")
            return result

        self._cleanups.append(cleanup)

    def add_async_cleanup(
        self, function: Callable[..., Awaitable[object]], /, *args: object, **kwargs: Any
    ) -> None:
        """See `nbxunit.add_async_cleanup`."""
        if not callable(function):
            raise TypeError(f"a cleanup is a function, not {function!r}")
        self._cleanups.append(lambda: bridge.wait(function(*args, **kwargs)))

    def enter_context(self, manager: AbstractContextManager[T]) -> T:
        """See `nbxunit.enter_context`. The manager is entered and left as `with` does it."""
        enter, leave = _methods(manager, "__enter__", "__exit__", "enter_async_context")
        value = enter(manager)
        self._cleanups.append(lambda: leave(manager, None, None, None))
        return cast(T, value)

    async def enter_async_context(self, manager: AbstractAsyncContextManager[T]) -> T:
        """See `nbxunit.enter_async_context`."""
        enter, leave = _methods(manager, "__aenter__", "__aexit__", "enter_context")
        value = await enter(manager)
        self._cleanups.append(lambda: bridge.wait(leave(manager, None, None, None)))
        return cast(T, value)

    def do_cleanups(self) -> None:
        """Run and pop the cleanups, last added first; raise what they raised, all of it."""
        __tracebackhide__ = True
        raise_all(f"cleanups of the {self.label}", list(self._run_cleanups()))

    def _run_cleanups(self) -> Iterator[BaseException]:
        while self._cleanups:
            try:
                self._cleanups.pop()()
            except BaseException as exc:  # noqa: BLE001 - the others run, then all are raised
                yield exc

    # --- names ---

    @contextmanager
    def binding(self, names: tuple[str, ...]) -> Iterator[None]:
        """While a hook runs: this scope owns those of `names` that the hook binds.

        Unless an open scope owns a name already: the outermost one keeps it, so that inner hooks
        may count in a variable of an outer one.
        """
        before = {name: self._namespace.get(name, _MISSING) for name in names}
        try:
            yield
        finally:
            for name, old in before.items():
                changed = self._value(name) is not old
                if changed and not any(name in frame._saved for frame in _open):  # noqa: SLF001
                    self._saved[name] = old

    def _value(self, name: str) -> object:
        """The value of a name of the notebook, which a namespace of its own kind has seen.

        Functions bind global names in the dict itself, past what a subclass of it (Databricks has
        one) does when an item is set.
        """
        if type(self._namespace) is dict or not isinstance(self._namespace, dict):
            return self._namespace.get(name, _MISSING)
        value = dict.get(self._namespace, name, _MISSING)
        if value is not _MISSING:
            self._namespace[name] = value
        return value

    def _put_back(self, kept: MutableMapping[str, object] | None) -> None:
        for name, old in self._saved.items():
            if old is not _MISSING:
                self._namespace[name] = old
            elif name in self._namespace:
                value = self._namespace.pop(name)
                if kept is not None:
                    kept[name] = value
        self._saved.clear()

    # --- life ---

    def open(self) -> None:
        """From now on this is the scope that runs."""
        _open.append(self)

    def close(self, errors: list[BaseException], kept: MutableMapping[str, object] | None) -> None:
        """Run the cleanups, put the names back, raise `errors` and those of the cleanups.

        Names that are new go away; with `kept`, they are put there with their values.
        """
        __tracebackhide__ = True
        try:
            errors.extend(self._run_cleanups())
        finally:
            self._put_back(kept)
            _open.remove(self)
        raise_all(self.label, errors)


def close_all() -> None:
    """Forget the scopes that a broken run left open, so that the next run starts afresh."""
    while _open:
        # What they raise comes second to what broke the run.
        with contextlib.suppress(BaseException):
            _open[-1].close([], None)


class HookExit(Exception):
    """Stands for a SystemExit, or an outcome of pytest, where only an `Exception` is remembered.

    pytest remembers a failed setup for the other tests of its scope only if it is an `Exception`
    or an outcome of its own.
    """

    __module__ = "nbxunit"


def raise_all(what: str, errors: list[BaseException]) -> None:
    """Raise what `errors` holds: nothing, the one error as it is, or a group of them.

    An interrupt or `pytest.exit` goes before everything: inside a group nobody would see it. A
    SystemExit becomes a `HookExit`.
    """
    __tracebackhide__ = True
    if not errors:
        return
    urgent = next((exc for exc in errors if _is_urgent(exc)), None)
    if urgent is not None:
        for other in errors:
            if other is not urgent:
                urgent.add_note(f"besides: {type(other).__name__}: {other}")
        raise urgent
    if len(errors) > 1:
        group = ExceptionGroup(f"errors in the {what}", [_exception(exc) for exc in errors])
        # Its place is that of the first error: pytest 9.0 cannot show one with hidden frames only.
        raise group.with_traceback(errors[0].__traceback__)
    if isinstance(errors[0], SystemExit):
        raise _exception(errors[0])
    raise errors[0]


def _is_urgent(exc: BaseException) -> bool:
    # pytest.exit raises an `Exit`; this module does without pytest, so it goes by the name.
    return isinstance(exc, KeyboardInterrupt | GeneratorExit) or (
        type(exc).__name__ == "Exit"
        and type(exc).__module__.partition(".")[0] in ("_pytest", "builtins")
    )


def _exception(exc: BaseException) -> Exception:
    """`exc`, or an `Exception` that stands for it."""
    if isinstance(exc, Exception):
        return exc
    stand_in = HookExit(f"{type(exc).__name__}: {exc}").with_traceback(exc.__traceback__)
    stand_in.__cause__ = exc
    return stand_in


def _methods(
    manager: object, enter: str, leave: str, other: str
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    kind = type(manager)
    try:
        return getattr(kind, enter), getattr(kind, leave)
    except AttributeError as exc:
        article = "asynchronous " if enter == "__aenter__" else ""
        hint = f"; did you mean nbxunit.{other}?" if hasattr(kind, _twin(enter)) else ""
        raise TypeError(
            f"{kind.__name__!r} object does not support the {article}context manager protocol{hint}"
        ) from exc


def _twin(method: str) -> str:
    return "__enter__" if method == "__aenter__" else "__aenter__"
