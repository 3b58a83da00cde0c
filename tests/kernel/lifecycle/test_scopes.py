"""An opened scope: its cleanups, contexts and names."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit.kernel.lifecycle import scopes
from nbxunit.kernel.lifecycle.scopes import Frame


@pytest.fixture
def namespace():
    return {"old": "before"}


@pytest.fixture
def frame(namespace):
    opened = Frame("module scope", namespace)
    opened.open()
    yield opened
    scopes.close_all()


def boom(name):
    raise ValueError(name)


def test_cleanups_are_lifo_with_arguments(frame):
    """Cleanups run last added first, with their arguments; one may add another."""
    log = []
    frame.add_cleanup(log.append, "first")

    def more(*, word):
        log.append(word)
        frame.add_cleanup(log.append, "new")

    frame.add_cleanup(more, word="w")
    frame.close([], None)
    assert log == ["w", "new", "first"]


def test_each_cleanup_runs_and_all_errors_are_raised(frame):
    """What cleanups raise is raised together with the errors of the hooks."""
    log = []
    frame.add_cleanup(boom, "one")
    frame.add_cleanup(log.append, "ran")
    frame.add_cleanup(boom, "two")
    with pytest.raises(ExceptionGroup) as caught:
        frame.close([KeyError("hook")], None)
    assert [str(exc) for exc in caught.value.exceptions] == ["'hook'", "two", "one"]
    assert log == ["ran"]


def test_one_error_is_raised_as_it_is(frame):
    """A single error needs no group."""
    frame.add_cleanup(boom, "only")
    with pytest.raises(ValueError, match="only"):
        frame.close([], None)


def test_an_interrupt_goes_before_everything(frame):
    """KeyboardInterrupt is raised itself, the other errors as its notes."""
    with pytest.raises(KeyboardInterrupt) as caught:
        frame.close([ValueError("x"), KeyboardInterrupt()], None)
    assert caught.value.__notes__ == ["besides: ValueError: x"]


def test_do_cleanups_pops(frame):
    """do_cleanups runs what there is; nothing runs twice."""
    log = []
    frame.add_cleanup(log.append, 1)
    frame.do_cleanups()
    frame.close([], None)
    assert log == [1]


def test_contexts_are_entered_now_and_left_at_the_end(frame):
    """enter_context gives what the manager yields."""
    log = []

    @contextlib.contextmanager
    def manager():
        log.append("enter")
        yield "value"
        log.append("leave")

    assert frame.enter_context(manager()) == "value"
    assert log == ["enter"]
    frame.close([], None)
    assert log == ["enter", "leave"]


def test_what_is_no_context_manager_is_refused(frame):
    """The message names the other function where that one would do."""

    class Asynchronous:
        async def __aenter__(self): ...
        async def __aexit__(self, *_): ...

    with pytest.raises(TypeError, match=r"did you mean nbxunit\.enter_async_context"):
        frame.enter_context(Asynchronous())
    with pytest.raises(TypeError, match=r"does not support the context manager protocol$"):
        frame.enter_context(object())
    with pytest.raises(TypeError, match="a cleanup is a function"):
        frame.add_cleanup("no function")


def test_running_is_the_innermost_scope(frame, namespace):
    """Cleanups belong to the scope that was opened last."""
    assert scopes.running() is frame
    inner = Frame("function scope", namespace)
    inner.open()
    assert scopes.running() is inner
    inner.close([], None)
    assert scopes.running() is frame
    frame.close([], None)
    with pytest.raises(RuntimeError, match="no hook or test is running"):
        scopes.running()


def test_names_are_put_back_after_the_cleanups(frame, namespace):
    """A name that existed gets its value back, a new one goes away, cleanups still see them."""
    seen = []
    frame.add_cleanup(lambda: seen.append(dict(namespace)))
    with frame.binding(("old", "new", "unbound")):
        namespace.update(old="now", new=1)
    frame.close([], None)
    assert seen == [{"old": "now", "new": 1}]
    assert namespace == {"old": "before"}


def test_kept_names_stay(frame, namespace):
    """With `kept`, new names stay and are told; names that existed are put back all the same."""
    with frame.binding(("old", "new")):
        namespace.update(old="now", new=1)
    kept: dict[str, object] = {}
    frame.close([], kept)
    assert kept == {"new": 1}
    assert {**namespace, **kept} == {"old": "before", "new": 1}


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers() | st.none())))
def test_closing_all_scopes_restores_the_namespace(steps):
    """Whatever hooks of three nested scopes bind or delete, it is put back at the end."""
    namespace: dict[str, object] = {"a": "first"}
    before = dict(namespace)
    frames = [Frame(str(depth), namespace) for depth in range(3)]
    for frame in frames:
        frame.open()
    for depth, name, value in steps:
        with frames[depth].binding((name,)):
            namespace.pop(name, None) if value is None else namespace.__setitem__(name, value)
    for frame in reversed(frames):
        frame.close([], None)
    assert namespace == before


def test_a_namespace_of_its_own_kind_sees_what_hooks_bind():
    """A dict's subclass, as Databricks has one, is told of the names that a hook binds past it."""

    class Namespace(dict):
        def __init__(self, **names):
            super().__init__(names)
            self.told = []

        def __setitem__(self, name, value):
            self.told.append((name, value))
            super().__setitem__(name, value)

    namespace = Namespace(old="before")
    opened = Frame("module scope", namespace)
    opened.open()
    with opened.binding(("new", "old", "unbound")):
        exec("def hook():\n global new, old\n new = old = 1\nhook()", namespace)
    assert {("new", 1), ("old", 1)} <= set(namespace.told)
    opened.close([], None)
    assert namespace["old"] == "before"
    assert "new" not in namespace
