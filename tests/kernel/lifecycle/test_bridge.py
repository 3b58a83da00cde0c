"""The bridge on a plain loop, and on a real kernel where a signal or the kernel's loop matters."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import types
import unittest
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import greenlet  # type: ignore[import-untyped]
import pytest
import warm_kernels
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from nbxunit.kernel.lifecycle import bridge

T = TypeVar("T")


async def give(value: T) -> T:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


def run(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run `function` on a new loop, as a cell does it on the kernel's."""

    async def main() -> T:
        return await bridge.run(function, *args, **kwargs)

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def sigint() -> Iterator[None]:
    """What a destroyed loop leaves as the handler of SIGINT is no other test's."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def interrupt_after(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()


class TestRun:
    """What goes into a run and what comes out."""

    def test_result(self) -> None:
        """What the function returns comes out, and its arguments go in."""
        assert run(lambda *args, **kwargs: (args, kwargs), 1, a=2) == ((1,), {"a": 2})

    @pytest.mark.parametrize("waits", [False, True])
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("v"),
            SystemExit(3),
            KeyboardInterrupt(),
            asyncio.CancelledError(),
            BaseExceptionGroup("g", [KeyboardInterrupt()]),
            GeneratorExit(),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_exception(self, error: BaseException, waits: bool) -> None:  # noqa: FBT001
        """What the function raises comes out as the same object, with the function's traceback."""

        def function() -> None:
            if waits:
                bridge.wait(give(1))
            raise error

        async def main() -> BaseException | None:
            try:
                await bridge.run(function)
            except BaseException as caught:  # noqa: BLE001
                return caught
            return None

        assert asyncio.run(main()) is error
        assert traceback.extract_tb(error.__traceback__)[-1].name == "function"
        assert error.__context__ is None

    def test_context_stays_inside(self) -> None:
        """Changes of context variables in the function are not seen by the caller."""
        variable = contextvars.ContextVar("variable", default=0)

        async def main() -> tuple[int, int]:
            variable.set(1)
            seen = await bridge.run(lambda: (variable.get(), variable.set(2))[0])
            return seen, variable.get()

        assert asyncio.run(main()) == (1, 1)

    def test_nothing_runs(self) -> None:
        """In the function no loop runs and no task is current; afterwards both are back."""
        loop: asyncio.AbstractEventLoop | None = None

        def function() -> None:
            for call in (asyncio.get_running_loop, asyncio.current_task):
                with pytest.raises(RuntimeError, match="no running event loop"):
                    call()
            bridge.wait(give(1))
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            assert asyncio.current_task(loop) is None

        async def main() -> None:
            nonlocal loop
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            await bridge.run(function)
            assert (loop, task) == (asyncio.get_running_loop(), asyncio.current_task())

        asyncio.run(main())

    def test_asyncio_run(self) -> None:
        """asyncio.run and asyncio.Runner work in the function, between waits."""

        def function() -> list[int]:
            numbers = [asyncio.run(give(1)), bridge.wait(give(2))]
            with asyncio.Runner() as runner:
                return [*numbers, runner.run(give(3)), runner.run(give(4))]

        assert run(function) == [1, 2, 3, 4]

    def test_isolated_asyncio_test_case(self) -> None:
        """IsolatedAsyncioTestCase works in the function."""
        steps: list[str] = []

        class Case(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self) -> None:
                await asyncio.sleep(0)
                steps.append("setup")

            async def test(self) -> None:
                steps.append(await give("test"))

        result = unittest.TestResult()
        run(Case("test").run, result)
        assert result.wasSuccessful()
        assert steps == ["setup", "test"]

    def test_nested_run(self) -> None:
        """A run works in an awaitable of a run, and on a loop of its own in a run's function."""

        def inner(value: int) -> int:
            return bridge.wait(give(value))

        async def middle(value: int) -> int:
            return await bridge.run(inner, value) + await give(10)

        def outer() -> list[int]:
            return [bridge.wait(middle(1)), asyncio.run(middle(2)), bridge.wait(give(3))]

        assert run(outer) == [11, 12, 3]

    def test_in_a_thread(self) -> None:
        """A run on a loop in another thread works; it leaves signals alone."""
        results: list[int] = []
        thread = threading.Thread(target=lambda: results.append(run(bridge.wait, give(1))))
        thread.start()
        thread.join()
        assert results == [1]

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
    def test_eager_task(self) -> None:
        """A run works in a task that starts eagerly."""

        async def main() -> int:
            factory = vars(asyncio)["eager_task_factory"]
            asyncio.get_running_loop().set_task_factory(factory)
            return await asyncio.create_task(bridge.run(bridge.wait, give(1)))

        assert asyncio.run(main()) == 1

    def test_without_greenlet(self) -> None:
        """Without greenlet the function runs, with asyncio.run in it, and wait says what to do."""
        code = """
            import sys
            sys.modules["greenlet"] = None
            import asyncio
            from nbxunit.kernel.lifecycle import bridge
            def function():
                assert asyncio.run(asyncio.sleep(0, 1)) == 1
                assert not bridge.available()
                bridge.wait(asyncio.sleep(0))
            try:
                asyncio.run(bridge.run(function))
            except RuntimeError as error:
                print(error)
        """
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "pip install greenlet" in done.stdout
        assert done.stderr == ""

    def test_greenlet_is_lazy(self) -> None:
        """Importing the bridge does not import greenlet."""
        code = "import sys, nbxunit.kernel.lifecycle.bridge; sys.exit('greenlet' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestWait:
    """What can be waited for, and what it sees."""

    def test_awaitables(self) -> None:
        """Coroutines, futures, tasks and whatever else `await` takes can be waited for."""

        class Custom:
            def __await__(self) -> Generator[Any, Any, int]:
                yield from asyncio.sleep(0).__await__()
                return 3

        @types.coroutine
        def generator() -> Generator[None, None, int]:
            yield
            return 4

        async def main() -> list[int]:
            task = asyncio.create_task(give(1))
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.01, future.set_result, 2)
            awaitables: list[Awaitable[int]] = [give(0), task, future, Custom(), generator()]
            return await bridge.run(lambda: [bridge.wait(each) for each in awaitables])

        assert asyncio.run(main()) == [0, 1, 2, 3, 4]

    def test_not_awaitable(self) -> None:
        """What cannot be awaited is a TypeError, as with `await`."""
        with pytest.raises(TypeError, match="int"):
            run(bridge.wait, 1)

    def test_exception(self) -> None:
        """What the awaitable raises is raised where it is waited for, with the whole traceback."""

        def function() -> list[str]:
            try:
                bridge.wait(fail(LookupError("l")))
            except LookupError as error:
                return [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            return []

        names = run(function)
        assert names[:2] == ["function", "wait"]
        assert names[-1] == "fail"

    def test_hidden_frames(self) -> None:
        """Tracebacks of pytest show no frame of the bridge between a test and its coroutine."""

        def function() -> None:
            with pytest.raises(LookupError) as caught:
                bridge.wait(fail(LookupError("l")))
            visible = caught.traceback.filter(caught)
            assert [entry.name for entry in visible] == ["function", "fail"]

        run(function)

    def test_result_is_not_kept(self) -> None:
        """Neither result nor exception of an awaitable lives on in the bridge."""

        class Value:
            pass

        async def raises() -> None:
            local = Value()
            references.append(weakref.ref(local))
            raise LookupError

        references: list[weakref.ref[Value]] = []

        def function() -> None:
            references.append(weakref.ref(bridge.wait(give(Value()))))
            with suppress(LookupError):
                bridge.wait(raises())
            assert [reference() for reference in references] == [None, None]

        gc.disable()  # what cycles keep alive counts, too
        try:
            run(function)
        finally:
            gc.enable()

    def test_one_task(self) -> None:
        """All awaitables run in the task that awaits the run."""

        async def task() -> asyncio.Task[Any] | None:
            await asyncio.sleep(0)
            return asyncio.current_task()

        async def main() -> None:
            tasks = await bridge.run(lambda: {bridge.wait(task()), bridge.wait(task())})
            assert tasks == {asyncio.current_task()}

        asyncio.run(main())

    def test_context_variables(self) -> None:
        """Context variables pass from sync code to awaitables and back."""
        variable = contextvars.ContextVar("variable", default=0)

        async def increment() -> int:
            await asyncio.sleep(0)
            variable.set(variable.get() + 1)
            await asyncio.sleep(0)
            return variable.get()

        def function() -> list[int]:
            variable.set(10)
            numbers = [bridge.wait(increment()), variable.get()]
            variable.set(20)
            return [*numbers, bridge.wait(increment()), variable.get()]

        assert run(function) == [11, 11, 21, 21]

    def test_in_context_run(self) -> None:
        """In a function of Context.run an awaitable sees that context."""
        variable = contextvars.ContextVar("variable", default=0)

        async def read() -> int:
            await asyncio.sleep(0)
            return variable.get()

        def function() -> int:
            context = contextvars.copy_context()
            context.run(variable.set, 5)
            return context.run(bridge.wait, read())

        assert run(function) == 5

    def test_timeout(self) -> None:
        """asyncio.timeout works in an awaitable, and over two waits."""

        @asynccontextmanager
        async def limited() -> AsyncIterator[None]:
            async with asyncio.timeout(0.02):
                yield

        async def inside() -> None:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)

        def function() -> None:
            with pytest.raises(TimeoutError):
                bridge.wait(inside())
            manager = limited()
            bridge.wait(manager.__aenter__())
            with pytest.raises(asyncio.CancelledError) as caught:
                bridge.wait(asyncio.sleep(10))
            with pytest.raises(TimeoutError):
                bridge.wait(manager.__aexit__(caught.type, caught.value, caught.tb))
            bridge.wait(give(1))

        run(function)

    def test_task_group(self) -> None:
        """A TaskGroup is entered in one wait and left in another, with its ExceptionGroup."""
        group = asyncio.TaskGroup()

        async def start() -> None:
            group.create_task(fail(LookupError("l")))

        def function() -> None:
            bridge.wait(group.__aenter__())
            bridge.wait(start())
            with pytest.raises(ExceptionGroup) as caught:
                bridge.wait(group.__aexit__(None, None, None))
            assert [type(error) for error in caught.value.exceptions] == [LookupError]
            bridge.wait(give(1))

        run(function)

    def test_other_tasks_go_on(self) -> None:
        """Other tasks of the loop run while something is waited for."""

        async def main() -> int:
            ticks: list[None] = []

            async def tick() -> None:
                while True:
                    ticks.append(None)
                    await asyncio.sleep(0.001)

            task = asyncio.create_task(tick())
            await bridge.run(lambda: bridge.wait(asyncio.sleep(0.05)))
            task.cancel()
            return len(ticks)

        assert asyncio.run(main()) > 5


class TestUnavailable:
    """Where nothing can be waited for."""

    def test_available(self) -> None:
        """`wait` is available in the function, not in awaitables, inner loops or outside."""

        async def there() -> bool:
            return bridge.available()

        def function() -> list[bool]:
            return [bridge.available(), bridge.wait(there()), asyncio.run(there())]

        assert not bridge.available()
        assert run(function) == [True, False, False]
        assert not asyncio.run(there())

    def test_outside(self) -> None:
        """Outside a run wait is a RuntimeError, and closes the coroutine it cannot await."""
        with pytest.raises(RuntimeError, match=r"only below a function that run\(\) called"):
            bridge.wait(give(1))

    def test_thread(self) -> None:
        """In another thread than the run's wait is a RuntimeError."""

        def function() -> None:
            errors: list[BaseException] = []

            def target() -> None:
                try:
                    bridge.wait(give(1))
                except RuntimeError as error:
                    errors.append(error)

            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
            assert "in its thread and greenlet" in str(errors[0])

        run(function)

    def test_nested_greenlet(self) -> None:
        """In a greenlet below the run's wait is a RuntimeError."""

        def function() -> None:
            with pytest.raises(RuntimeError, match="in its thread and greenlet"):
                greenlet.greenlet(bridge.wait).switch(give(1))

        run(function)

    def test_reentrant(self) -> None:
        """In an awaitable that is waited for wait is a RuntimeError; the run goes on."""

        async def reenter() -> None:
            bridge.wait(give(1))

        def function() -> int:
            with pytest.raises(RuntimeError, match="write `await` instead"):
                bridge.wait(reenter())
            with pytest.raises(RuntimeError, match="write `await` instead"):
                asyncio.run(reenter())
            return bridge.wait(give(2))

        assert run(function) == 2


class TestEnd:
    """Tasks that end before their run does."""

    def test_cancellation(self) -> None:
        """A cancellation of the task passes through awaitable and function and out of the run."""
        steps: list[str] = []

        async def sleep() -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                steps.append("awaitable")
                raise

        def function() -> None:
            try:
                bridge.wait(sleep())
            finally:
                steps.append(bridge.wait(give("function")))

        async def main() -> None:
            task = asyncio.create_task(bridge.run(function))
            await asyncio.sleep(0.01)
            task.cancel("why")
            with pytest.raises(asyncio.CancelledError, match="why"):
                await task
            assert task.cancelled()

        asyncio.run(main())
        assert steps == ["awaitable", "function"]

    def test_timeout_around(self) -> None:
        """asyncio.timeout around a run stops what it waits for."""

        async def main() -> None:
            async with asyncio.timeout(0.01):
                await bridge.run(bridge.wait, asyncio.sleep(10))

        with pytest.raises(TimeoutError):
            asyncio.run(main())

    def test_closed(self) -> None:
        """When the task is closed, awaitable and function are unwound, and nothing can wait."""
        steps: list[str] = []

        async def sleep() -> None:
            try:
                await asyncio.sleep(10)
            finally:
                steps.append("awaitable")

        def function() -> None:
            try:
                bridge.wait(sleep())
            finally:
                steps.append("function")
                with pytest.raises(RuntimeError, match="wait"):
                    bridge.wait(give(1))

        async def main() -> None:
            coroutine = bridge.run(function)
            coroutine.send(None)
            coroutine.close()
            assert asyncio.current_task() is not None

        handler = signal.getsignal(signal.SIGINT)
        asyncio.run(main())
        assert steps == ["awaitable", "function"]
        assert signal.getsignal(signal.SIGINT) is handler
        assert not bridge._runs

    def test_closed_elsewhere(self) -> None:
        """A run may be closed in another greenlet, which then goes on."""
        steps: list[str] = []

        def function() -> None:
            try:
                bridge.wait(asyncio.sleep(10))
            finally:
                steps.append("function")

        async def main() -> None:
            coroutine = bridge.run(function)
            coroutine.send(None)

            def close() -> None:
                coroutine.close()
                steps.append("closed")

            greenlet.greenlet(close).switch()
            assert steps == ["function", "closed"]

        asyncio.run(main())

    def test_destroyed(self) -> None:
        """A run whose loop is gone is unwound when it is collected."""
        steps: list[str] = []

        def function() -> None:
            try:
                bridge.wait(asyncio.sleep(10))
            finally:
                steps.append("function")

        async def main() -> None:
            coroutine = bridge.run(function)
            coroutine.send(None)
            kept.append(coroutine)

        kept: list[object] = []
        asyncio.run(main())
        assert steps == []
        kept.clear()
        gc.collect()
        assert steps == ["function"]

    def test_nothing_left(self) -> None:
        """After a run nothing of it is kept."""

        class Value:
            pass

        def function() -> Value:
            bridge.wait(give(1))
            return Value()

        reference = weakref.ref(run(function))
        gc.collect()
        assert reference() is None
        assert not bridge._runs


class TestInterrupt:
    """Signals, on a plain loop."""

    def test_handler_is_put_back(self) -> None:
        """After a run, ended well or not, SIGINT has the handler that it had before."""

        def handler(*_: object) -> None:
            pass

        def function() -> None:
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            bridge.wait(give(1))
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            raise LookupError

        before = signal.signal(signal.SIGINT, handler)
        try:
            with pytest.raises(LookupError):
                run(function)
            assert signal.getsignal(signal.SIGINT) is handler
        finally:
            signal.signal(signal.SIGINT, before)

    def test_ignored(self) -> None:
        """Where SIGINT is ignored, it stays so."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            assert run(signal.getsignal, signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)

    @pytest.mark.parametrize("how", ["sync", "await", "block"])
    def test_interrupt(self, how: str) -> None:
        """SIGINT raises KeyboardInterrupt at once: in sync code, awaiting, blocking a coroutine."""

        async def block() -> None:
            time.sleep(10)  # noqa: ASYNC251 - as careless tests do

        def function() -> list[object]:
            start = time.monotonic()
            try:
                if how == "sync":
                    time.sleep(10)
                bridge.wait(asyncio.sleep(10) if how == "await" else block())
            except KeyboardInterrupt:
                late = time.monotonic() - start > 2
                return [late, bridge.wait(give("teardown")), bridge.wait(cancelling())]
            return []

        async def cancelling() -> int:
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()

        with interrupt_after(0.1):
            assert run(function) == [False, "teardown", 0]

    def test_interrupt_shows_where(self) -> None:
        """The traceback of an interrupt ends where the awaitable waited, without CancelledError."""

        async def here() -> None:
            await asyncio.sleep(10)

        def function() -> None:
            with pytest.raises(KeyboardInterrupt) as caught:
                bridge.wait(here())
            assert "here" in [entry.name for entry in caught.traceback.filter(caught)]
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__

        with interrupt_after(0.1):
            run(function)

    def test_cleanup_of_the_awaitable(self) -> None:
        """On an interrupt the awaitable is cancelled, so it cleans up and cancels its children."""
        steps: list[str] = []

        async def child() -> None:
            try:
                await asyncio.sleep(10)
            finally:
                steps.append("child")

        async def parent() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(child())
            finally:
                await asyncio.sleep(0.01)
                steps.append("parent")

        def function() -> None:
            with pytest.raises(KeyboardInterrupt):
                bridge.wait(parent())
            bridge.wait(give(1))

        with interrupt_after(0.1):
            run(function)
        assert steps == ["child", "parent"]

    def test_swallowed_cancellation(self) -> None:
        """An awaitable that swallows its cancellation does not swallow the interrupt."""

        async def swallow() -> str:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                return "swallowed"
            return "slept"

        def function() -> str:
            with pytest.raises(KeyboardInterrupt):
                bridge.wait(swallow())
            return bridge.wait(give("on"))

        with interrupt_after(0.1):
            assert run(function) == "on"

    def test_late_interrupt(self) -> None:
        """An interrupt when the awaitable is just done neither gets lost nor hits later waits."""

        async def main() -> str:
            done = asyncio.get_running_loop().create_future()

            def finish() -> None:
                done.set_result(None)
                os.kill(os.getpid(), signal.SIGINT)

            asyncio.get_running_loop().call_later(0.05, finish)

            def function() -> str:
                with pytest.raises(KeyboardInterrupt):
                    bridge.wait(done)
                bridge.wait(asyncio.sleep(0.01))
                return "on"

            return await bridge.run(function)

        assert asyncio.run(main()) == "on"

    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
    def test_many_interrupts(self) -> None:
        """Interrupts at any moment raise KeyboardInterrupt out of the run, and break nothing."""

        def function() -> None:
            while time.monotonic() < stop:
                bridge.wait(asyncio.sleep(0))
                bridge.wait(asyncio.sleep(0.0005))

        async def main() -> int:
            task = asyncio.current_task()
            assert task is not None
            interrupts = 0
            while time.monotonic() < stop:
                try:
                    await bridge.run(function)
                except KeyboardInterrupt:
                    interrupts += 1
                assert signal.getsignal(signal.SIGINT) is nothing
                assert asyncio.current_task() is task
                assert task.cancelling() == 0
            return interrupts

        def nothing(*_: object) -> None:
            pass

        stop = time.monotonic() + 3
        code = "import os, time\nwhile True: time.sleep(0.00137); os.kill(os.getppid(), 2)"
        before = signal.signal(signal.SIGINT, nothing)
        gc.disable()  # hypothesis is called by each collection, and would be interrupted as well
        killer = subprocess.Popen([sys.executable, "-c", code])
        try:
            assert asyncio.run(main()) > 50
        finally:
            killer.kill()
            killer.wait()
            gc.enable()
            signal.signal(signal.SIGINT, before)

    def test_own_handler(self) -> None:
        """A SIGINT handler that the function installs is the one that is called while it waits."""
        seen: list[int] = []

        def handler(number: int, _: object) -> None:
            seen.append(number)

        def function() -> None:
            signal.signal(signal.SIGINT, handler)
            bridge.wait(asyncio.sleep(0.2))
            assert signal.getsignal(signal.SIGINT) is handler

        with interrupt_after(0.1):
            run(function)
        assert seen == [signal.SIGINT]

    def test_handler_of_the_awaitable(self) -> None:
        """A signal handler that an awaitable installs outlives its wait, and ends with the run."""

        async def install() -> None:
            signal.signal(signal.SIGINT, handler)

        def handler(*_: object) -> None:
            pass

        def function() -> None:
            bridge.wait(install())
            assert signal.getsignal(signal.SIGINT) is handler

        before = signal.getsignal(signal.SIGINT)
        run(function)
        assert signal.getsignal(signal.SIGINT) is before

    @pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="Windows has no alarm")
    def test_alarm(self) -> None:
        """What a SIGALRM handler raises, as of pytest-timeout, is raised by the wait."""

        def handler(*_: object) -> None:
            pytest.fail("too late")

        def function() -> str:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(pytest.fail.Exception, match="too late"):
                bridge.wait(asyncio.sleep(10))
            assert signal.getsignal(signal.SIGALRM) is handler
            return bridge.wait(give("on"))

        before = signal.signal(signal.SIGALRM, handler)
        try:
            assert run(function) == "on"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def test_asyncio_run_inside(self) -> None:
        """An interrupt of asyncio.run in the function is KeyboardInterrupt there."""

        def function() -> str:
            with pytest.raises(KeyboardInterrupt):
                asyncio.run(asyncio.sleep(10))
            return bridge.wait(give("on"))

        with interrupt_after(0.1):
            assert run(function) == "on"


class Kernel:
    """A real kernel, and what a cell of it does."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def send(self, code: str) -> str:
        """Send a cell that, failing, does not abort those behind it; the request's id."""
        request: str = self.client.execute(textwrap.dedent(code), stop_on_error=False)
        return request

    def start(self, code: str) -> str:
        """Send a cell, return when it runs and has printed `go`; the request's id."""
        request = self.send(code)
        while True:
            message = self.client.get_iopub_msg(timeout=20)
            if message["parent_header"].get("msg_id") != request:
                continue
            assert message["msg_type"] != "error", message["content"]
            if message["content"].get("text", "").startswith("go"):
                return request

    def finish(self, request: str) -> dict[str, Any]:
        """The reply to a cell."""
        while True:
            message = self.client.get_shell_msg(timeout=20)
            if message["parent_header"]["msg_id"] == request:
                content: dict[str, Any] = message["content"]
                return content

    def run(self, code: str) -> None:
        """Execute a cell that must not fail."""
        reply = self.finish(self.send(code))
        assert reply["status"] == "ok", "\n".join(reply.get("traceback", []))

    def interrupt(self, code: str) -> tuple[dict[str, Any], float]:
        """Interrupt a cell half a second after it printed `go`; its reply and how long it took."""
        request = self.start(code)
        time.sleep(0.5)
        self.manager.interrupt_kernel()
        begin = time.monotonic()
        reply = self.finish(request)
        return reply, time.monotonic() - begin


IMPORTS = """
    import asyncio, contextvars, signal, time, unittest
    from nbxunit.kernel.lifecycle import bridge
    handler = signal.getsignal(signal.SIGINT)
"""


@pytest.fixture(scope="class")
def kernel() -> Iterator[Kernel]:
    with warm_kernels.started(Path.cwd(), os.environ) as (manager, client):
        kernel = Kernel(manager, client)
        kernel.run(IMPORTS)
        yield kernel


class TestKernel:
    """All of it in a real kernel, beside other cells."""

    def test_loop_of_the_kernel(self, kernel: Kernel) -> None:
        """Awaitables run on the kernel's loop, where a task of an earlier cell goes on."""
        kernel.run("""
            ticks = []
            async def tick():
                while True:
                    ticks.append(1)
                    await asyncio.sleep(0.005)
            ticker = asyncio.create_task(tick())
            queue = asyncio.Queue()
            loop = asyncio.get_running_loop()
        """)
        kernel.run("""
            async def test():
                assert asyncio.get_running_loop() is loop
                loop.call_later(0.01, queue.put_nowait, 5)
                before = len(ticks)
                await asyncio.sleep(0.1)
                assert len(ticks) > before + 3
                return await queue.get()
            assert await bridge.run(lambda: bridge.wait(test())) == 5
            ticker.cancel()
        """)

    def test_sync_code_with_loops(self, kernel: Kernel) -> None:
        """asyncio.run and IsolatedAsyncioTestCase work in a run, and later cells as before."""
        kernel.run("""
            class Case(unittest.IsolatedAsyncioTestCase):
                async def asyncSetUp(self):
                    self.value = await asyncio.sleep(0, 1)
                async def test(self):
                    self.assertEqual(self.value, 1)
            def function():
                result = unittest.TestResult()
                Case("test").run(result)
                assert result.wasSuccessful() and result.testsRun == 1, result
                return asyncio.run(asyncio.sleep(0, 2)), bridge.wait(asyncio.sleep(0, 3))
            assert await bridge.run(function) == (2, 3)
            assert asyncio.current_task() is not None
        """)
        kernel.run("assert await asyncio.sleep(0.01, 4) == 4")

    def test_context_variables(self, kernel: Kernel) -> None:
        """Context variables pass sync, async, sync, async; a later cell sees none of them."""
        kernel.run("""
            variable = contextvars.ContextVar("variable", default=0)
            async def add():
                await asyncio.sleep(0.01)
                variable.set(variable.get() + 1)
            def function():
                variable.set(10)
                bridge.wait(add())
                assert variable.get() == 11
                bridge.wait(add())
                return variable.get()
            assert await bridge.run(function) == 12
            assert variable.get() == 0
        """)

    def test_timeout_and_task_group(self, kernel: Kernel) -> None:
        """asyncio.timeout and TaskGroup work in awaitables."""
        kernel.run("""
            async def timeout():
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(10)
            async def fail():
                raise LookupError
            async def group():
                async with asyncio.TaskGroup() as group:
                    group.create_task(fail())
                    group.create_task(asyncio.sleep(10))
            def function():
                for test, expected in (timeout, TimeoutError), (group, ExceptionGroup):
                    try:
                        bridge.wait(test())
                    except expected:
                        continue
                    raise AssertionError(test)
            await bridge.run(function)
        """)

    @pytest.mark.parametrize("act", ["time.sleep(30)", "bridge.wait(asyncio.sleep(30))"])
    def test_interrupt(self, kernel: Kernel, act: str) -> None:
        """An interrupt stops the function, which may await in its teardown; the kernel goes on."""
        reply, seconds = kernel.interrupt(f"""
            steps = []
            def function():
                print("go", flush=True)
                try:
                    {act}
                except KeyboardInterrupt:
                    steps.append("interrupt")
                    raise
                finally:
                    steps.append(bridge.wait(asyncio.sleep(0.1, "teardown")))
            cell_handler = signal.getsignal(signal.SIGINT)
            try:
                await bridge.run(function)
            finally:
                assert signal.getsignal(signal.SIGINT) is cell_handler
        """)
        assert reply["ename"] == "KeyboardInterrupt"
        assert seconds < 5
        kernel.run("""
            assert steps == ["interrupt", "teardown"], steps
            await asyncio.sleep(0)
        """)

    def test_interrupts_go_on(self, kernel: Kernel) -> None:
        """An interrupt that the function caught leaves waits, cells and later interrupts whole."""
        reply, seconds = kernel.interrupt("""
            def function():
                print("go", flush=True)
                try:
                    bridge.wait(asyncio.sleep(30))
                except KeyboardInterrupt:
                    pass
                bridge.wait(asyncio.sleep(0.1))
                return asyncio.run(asyncio.sleep(0, "on"))
            assert await bridge.run(function) == "on"
            assert asyncio.current_task().cancelling() == 0
        """)
        assert reply["status"] == "ok"
        assert seconds < 5
        kernel.run("await asyncio.sleep(0)")
        reply, seconds = kernel.interrupt("print('go', flush=True); time.sleep(30)")
        assert reply["ename"] == "KeyboardInterrupt"
        assert seconds < 5

    def test_pytest(self, kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> None:
        """An interrupt of pytest in a run ends it with its teardowns, those that await too."""
        path = tmp_path_factory.mktemp("suite") / "test_suite.py"
        path.write_text(
            textwrap.dedent("""
                import asyncio
                from nbxunit.kernel.lifecycle import bridge
                def teardown_module():
                    print("torn down", bridge.wait(asyncio.sleep(0.05, "awaiting")))
                def test_first():
                    assert bridge.wait(asyncio.sleep(0, 1)) == 1
                def test_second(capfd):
                    with capfd.disabled():
                        import __main__
                        __main__.out.write("go\\n")
                        __main__.out.flush()
                    bridge.wait(asyncio.sleep(30))
                def test_third():
                    pass
            """)
        )
        reply, seconds = kernel.interrupt(f"""
            import io, sys, pytest, contextlib
            out, text = sys.stdout, io.StringIO()
            with contextlib.redirect_stdout(text):
                arguments = ["-s", "-p", "no:cacheprovider", {str(path)!r}]
                code = await bridge.run(pytest.main, arguments)
        """)
        assert reply["status"] == "ok", "\n".join(reply["traceback"])
        assert seconds < 5
        kernel.run("""
            assert code == pytest.ExitCode.INTERRUPTED, text.getvalue()
            assert "torn down awaiting" in text.getvalue(), text.getvalue()
            assert "1 passed" in text.getvalue(), text.getvalue()
        """)
