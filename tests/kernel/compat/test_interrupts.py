"""Interrupts that wait."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from nbxunit.kernel.compat import interrupts


@pytest.fixture
def other_thread():
    """A thread that the system may give a signal to."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.mark.usefixtures("other_thread")
def test_an_interrupt_waits_for_the_end():
    """Within, nothing is cut in two, whichever thread the system gives the signal to."""
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():  # noqa: PT012 - what is done is the claim
        os.kill(os.getpid(), signal.SIGINT)
        done.extend(range(100_000))
    assert len(done) == 100_000
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_so():
    """Where a cell ignores SIGINT, or has given it back to the system, its handler is left alone."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_go_through():
    """Outside the main thread nothing is held, since no handler runs there."""
    done = []

    def work():
        with interrupts.held():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
