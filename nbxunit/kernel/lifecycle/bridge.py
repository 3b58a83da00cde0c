"""Awaiting from inside synchronous code: pytest calls a test, the test awaits on the kernel's loop.

    await run(pytest.main)                      in the cell, a coroutine of the kernel's loop
        ... pytest ... wait(test())             in a greenlet, where no loop seems to run

`wait` switches out to `run`, which steps the awaitable in its own task and switches back. So all
awaitables of a run share one task and one context: a timeout, cancel scope or task group may be
entered in one `wait` and left in another. While the function runs, task and loop are out of sight,
so that `asyncio.run` and `unittest.IsolatedAsyncioTestCase` work in it. Runs may nest; two tasks
must not interleave theirs, since each puts back the SIGINT handler that it found.
Imports the standard library and `pyodide_waiting`; greenlet when the first run begins.
Over 300 lines: the two halves of a run, which switch to each other, are not to be read apart.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from nbxunit.kernel.lifecycle import pyodide_waiting

P = ParamSpec("P")
T = TypeVar("T")

_RAISING = [getattr(signal, name) for name in ("SIGALRM", "SIGINT") if hasattr(signal, name)]
"""Signals whose handlers raise: pytest-timeout's of SIGALRM, Python's own of SIGINT."""

_runs: dict[object, _Run[Any]] = {}
"""The runs that have not ended, by the greenlet of their function; None is Pyodide's."""

# The private names of asyncio, all of them. There is no public way to say that a task pauses.
_get_running_loop = asyncio._get_running_loop  # noqa: SLF001 - None where no loop runs
_set_running_loop = asyncio._set_running_loop  # noqa: SLF001
if sys.version_info >= (3, 12):  # where 3.14 keeps them in the thread's state, swapping still works
    _swap_current_task = asyncio.tasks._swap_current_task  # type: ignore[attr-defined] # noqa: SLF001
else:

    def _swap_current_task(loop: Any, task: Any) -> Any:
        """Make `task` the current one and return the one before, as 3.12's function does."""
        before = asyncio.current_task(loop)
        if before is not None:
            asyncio.tasks._leave_task(loop, before)  # noqa: SLF001
        if task is not None:
            asyncio.tasks._enter_task(loop, task)  # noqa: SLF001
        return before


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` so that code below it may `wait` for awaitables on the running loop.

    What it returns or raises comes out unchanged. It runs in a copy of the current context: it and
    what it waits for see each other's context variables, the caller sees none of their changes.
    An interrupt (SIGINT) raises KeyboardInterrupt in it, also while it waits; a cancellation of the
    task goes to what it waits for. Without greenlet installed all this holds but for `wait`.
    """
    return await _Run(functools.partial(function, *args, **kwargs))


def wait(awaitable: Awaitable[T]) -> T:
    """Wait for `awaitable` from synchronous code below `run`; return or raise its outcome.

    RuntimeError where that cannot be: outside a run, in another thread or greenlet, and below a
    running loop, as in an awaitable that is being waited for.
    """
    __tracebackhide__ = True
    this = _current_run()
    if this is None:
        if inspect.iscoroutine(awaitable):
            awaitable.close()  # else Python warns that it was never awaited, far from here
        raise RuntimeError(_why_unavailable())
    result: T = this.wait(awaitable)
    return result


def awaited() -> list[Awaitable[Any]]:
    """What the runs are waiting for, in this moment."""
    return [each.awaited for each in _runs.values() if each.awaited is not None]


def available() -> bool:
    """Whether `wait` works here."""
    return _current_run() is not None


def _current_run() -> _Run[Any] | None:
    """The run whose function is what runs here, unless a loop runs below that function."""
    if not _runs or _get_running_loop() is not None:
        return None
    greenlet = _greenlet()
    return _runs.get(greenlet.getcurrent() if greenlet is not None else None)


def _greenlet() -> Any:
    """The module, None where it is not installed."""
    try:
        import greenlet  # type: ignore[import-untyped]
    except ImportError:
        return None
    return greenlet


def _why_unavailable() -> str:
    if pyodide_waiting.IS_HERE and not pyodide_waiting.can_wait():
        return pyodide_waiting.UNAVAILABLE
    if not pyodide_waiting.IS_HERE and _greenlet() is None:
        return "Awaiting from synchronous code needs greenlet: pip install greenlet"
    if _get_running_loop() is not None:
        return "An event loop runs here, which wait() would block: write `await` instead"
    return "wait() works only below a function that run() called, in its thread and greenlet"


@contextmanager
def _outside_loop() -> Iterator[None]:
    """Within, no loop runs and no task is current, as far as asyncio can see."""
    loop = _get_running_loop()
    if loop is None:  # a coroutine that no loop runs any more is being closed
        yield
        return
    # In this order: 3.14 swaps tasks only of the loop that is the running one.
    task = _swap_current_task(loop, None)
    _set_running_loop(None)
    try:
        yield
    finally:
        _set_running_loop(loop)
        _swap_current_task(loop, task)


async def _await(awaitable: Awaitable[T]) -> T:
    """Make a coroutine of anything that `await` takes, to have `send` and `throw`."""
    __tracebackhide__ = True
    return await awaitable


class _Run(Generic[T]):
    """One call of `run`. Its function's half is `_main` and `wait`, the task's half the rest.

    SIGINT's handler is changed in the function's half: a KeyboardInterrupt that comes a moment
    early or late is then raised in the function, where it belongs, and not between the switches.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._context = contextvars.copy_context()
        # Python lets only the main thread set handlers. An ignored SIGINT stays so, as does C's.
        self._main_thread = threading.current_thread() is threading.main_thread()
        handler = signal.getsignal(signal.SIGINT)
        self._sigint = handler if self._main_thread and handler is not signal.SIG_IGN else None
        self._greenlet: Any = None
        self.awaited: Awaitable[Any] | None = None
        self._closed = False
        # How the last awaitable ended. The function's half takes it from here: a value that is
        # switched or thrown in would stay alive in the frame that switched, until the next wait.
        self._result: Any = None
        self._error: BaseException | None = None

    def _main(self) -> T:
        self._handle_sigint(signal.default_int_handler)
        try:
            return self._function()
        finally:
            self._handle_sigint(self._sigint)

    def _handle_sigint(self, handler: Any) -> None:
        if self._sigint is not None:
            signal.signal(signal.SIGINT, handler)

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Switch out until `awaitable` is done."""
        __tracebackhide__ = True
        if self._greenlet is None:
            return self._wait_in_pyodide(awaitable)
        coroutine = _await(awaitable)
        with _Interrupts(self._loop, self._task, coroutine) as interrupts:
            if self._main_thread:
                interrupts.install()
            self.awaited = coroutine
            self._greenlet.parent.switch(coroutine)
            self.awaited = None
            result, error = self._result, self._error
            self._result = self._error = None
            if error is None:
                return result
            try:
                raise error
            finally:
                del error  # it refers to this frame

    def _wait_in_pyodide(self, awaitable: Awaitable[Any]) -> Any:
        __tracebackhide__ = True
        self.awaited = awaitable
        _set_running_loop(self._loop)
        try:
            return pyodide_waiting.wait(awaitable)
        finally:
            _set_running_loop(None)
            self.awaited = None

    def _run_without_greenlet(self) -> T:
        """Call the function, which can wait in Pyodide only."""
        __tracebackhide__ = True
        if pyodide_waiting.can_wait():
            _runs[None] = self
        try:
            with _outside_loop():
                return self._context.run(self._main)
        finally:
            _runs.pop(None, None)

    def __await__(self) -> Generator[Any, Any, T]:
        """Let the function go on, step what it waits for, and so on until it ends."""
        __tracebackhide__ = True
        greenlet = _greenlet()
        if greenlet is None:
            return self._run_without_greenlet()
        self._greenlet = greenlet.greenlet(self._main)
        self._greenlet.gr_context = self._context
        _runs[self._greenlet] = self
        try:
            switched = self._switch_in(self._greenlet.switch)
            while not self._greenlet.dead:
                try:
                    self._result = yield from self._step(switched)
                except BaseException as error:
                    if self._closed:
                        raise
                    self._error = error
                switched = self._switch_in(self._greenlet.switch)
            return switched  # type: ignore[no-any-return]
        finally:
            del _runs[self._greenlet]  # from now on nothing below can wait
            if not self._greenlet.dead:  # the task was closed or destroyed
                # pytest takes KeyboardInterrupt alone for an order to stop. It would report a
                # CancelledError or GreenletExit as a failure and go on with the next test.
                with suppress(KeyboardInterrupt):
                    self._switch_in(self._greenlet.throw, KeyboardInterrupt("the task was closed"))
            self._handle_sigint(self._sigint)  # again, if an interrupt kept _main from it

    def _switch_in(self, switch: Callable[..., Any], *args: object) -> Any:
        """Let the function go on; what it waits for next, or its result."""
        from greenlet import getcurrent

        self._greenlet.parent = getcurrent()  # another one, if that is where the task is closed
        with _outside_loop():
            return switch(*args)

    def _step(self, coroutine: Any) -> Generator[Any, Any, Any]:
        """Step `coroutine` in the current task, in the context of the code that waits for it."""
        __tracebackhide__ = True
        context = self._greenlet.gr_context
        if context is not self._context:
            context = context.copy()  # the function is in a Context.run; none is entered twice
        step, value = coroutine.send, None
        while True:
            try:
                future = context.run(step, value)
            except StopIteration as stop:
                return stop.value
            try:
                step, value = coroutine.send, (yield future)
            except GeneratorExit:
                self._closed = True
                context.run(coroutine.close)
                raise
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's
                step, value = coroutine.throw, error


@dataclass
class _Interrupts:
    """Within, a signal handler that raises cancels `task`; what it raised is raised at the end.

    Raised at once, it would leave the loop that idles, and so end it. The cancellation lets
    `coroutine` clean up and is then taken back, so that the task can go on.
    """

    loop: asyncio.AbstractEventLoop
    task: Any
    coroutine: Any
    handlers: dict[int, Any] = field(default_factory=dict)
    cancellations: int = 0
    raised: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def install(self) -> None:
        """Stand in for the handlers; inside the `with`, as one may raise at any step of this."""
        for number in _RAISING:
            if callable(handler := signal.getsignal(number)):
                self.handlers[number] = handler
                signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self.handlers[number](number, frame)
        except BaseException as error:
            if self.coroutine.cr_running:  # it may block, and can be left right there
                raise
            self.raised = error
            self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self.coroutine.cr_frame is not None:  # else it ended meanwhile
            self.cancellations += 1
            self.task.cancel()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        __tracebackhide__ = True
        for _ in range(self.cancellations):
            self.task.uncancel()
        for number, handler in self.handlers.items():  # SIGINT last: it may raise right then
            if signal.getsignal(number) is self:  # else the awaitable installed its own
                signal.signal(number, handler)
        if self.raised is not None:
            if isinstance(error, asyncio.CancelledError):  # all that it tells is where this waited
                raise self.raised.with_traceback(error.__traceback__) from None
            raise self.raised from error
