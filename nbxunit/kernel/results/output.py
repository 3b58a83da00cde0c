"""What cells show: one output with text and HTML, and one that changes while a run lasts.

May import IPython. Nothing goes to stdout: a front end without HTML shows the text.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import sys
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell

from nbxunit import originals
from nbxunit.kernel.compat import ipython
from nbxunit.kernel.results import fragments, markup, text
from nbxunit.kernel.results.displays import embeds

if TYPE_CHECKING:
    from nbxunit.kernel.cells.notebook import Notebook
    from nbxunit.kernel.results.model import Display, Results

INTERVAL = 0.2
"""Seconds between two states of a run that is under way."""
PATIENCE = 0.3
"""Seconds after which a run shows that it is under way: a short one must not flicker."""


_threads = ThreadPoolExecutor(1, "nbxunit-progress")
"""One thread that stays: ipykernel opens sockets for each thread that shows something."""
_HAS_THREADS = sys.platform != "emscripten"
_handles = map(f"nbxunit-{uuid.uuid4().hex}-{{}}".format, itertools.count())
"""Display ids; made of what no test can replace."""


def show(plain: str, markup_text: str) -> None:
    """Show one thing below the cell, as text or as HTML."""
    _show({"text/plain": plain, "text/html": markup_text}, {})


def _show(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Show `data` through IPython's publisher: Databricks has a `display` of its own."""
    publisher: Any = InteractiveShell.instance().display_pub
    publisher.publish(dict(data), dict(metadata))


def show_text(plain: str) -> None:
    """Show lines of text as they are."""
    show(plain, fragments.frame(f"<pre>{fragments.h(plain)}</pre>"))


def say(head: str, rest: str, sign: str = "hook", notes: Iterable[str] = ()) -> None:
    """Show one line, and below it `notes`, which have the form `head: rest`."""
    _say([(sign, head, rest), *map(_parts, notes)])


def say_notes(notes: Sequence[str]) -> None:
    """Show lines of the form `head: rest`, if there are any."""
    if notes:
        _say(list(map(_parts, notes)))


def _say(said: Sequence[tuple[str, str, str]]) -> None:
    show("\n".join(f"{head}: {rest}" for _, head, rest in said), markup.lines(said))


def _parts(note: str) -> tuple[str, str, str]:
    head, _, rest = note.partition(": ")
    return "note", head, rest


class Live:
    """The output of one run: its state while it lasts, its results at the end.

    A thread shows the state, since a test may take longer than the interval. Only a front end that
    says which cell it runs is known to update outputs; jupyter console does not. What a test has
    done to the process (warnings as errors, a limit of threads) can keep a state from being shown,
    and never the results.
    """

    def __init__(self, notebook: Notebook, results: Results) -> None:
        self._shell = notebook.shell
        self._results = results
        self._start = originals.perf_counter()
        self._updates = _HAS_THREADS and bool(
            ipython.execute_metadata(notebook.shell).get("cellId")
        )
        self._handle = ""
        self._ended = threading.Event()
        self._showing: Future[None] | None = None
        self.running = ""

    def begin(self) -> None:
        """The run begins."""
        if self._updates:
            self._publisher = self._shell.display_pub
            with contextlib.suppress(RuntimeError):  # no more threads can start
                # ipykernel knows by a context variable which request an output belongs to.
                self._showing = _threads.submit(contextvars.copy_context().run, self._update)

    def _update(self) -> None:
        wait = PATIENCE
        while not self._ended.wait(wait):
            wait = INTERVAL
            if self._results.planned > 1:
                with contextlib.suppress(Exception):  # the next state may be shown again
                    seconds = originals.perf_counter() - self._start
                    plain = text.progress(self._results, self.running, seconds)
                    self._publish(plain, markup.progress(self._results, self.running, seconds))

    def _publish(self, plain: str, rich: str) -> None:
        handle = self._handle or next(_handles)
        data = {"text/plain": plain, "text/html": rich}
        # Not by `_show`: a test's displays are being kept meanwhile.
        self._publisher.publish(
            data, {}, transient={"display_id": handle}, update=bool(self._handle)
        )
        self._handle = handle  # not before something is there that can be updated

    def stop(self) -> None:
        """The run has ended; its state is not shown any more."""
        self._ended.set()
        if self._showing is not None:
            self._showing.exception()

    def go_before(self, other: Live) -> None:
        """Be shown above `other`, which may have shown a state while this had none to show."""
        if other._handle and not self._handle:
            self._handle, other._handle = other._handle, ""

    def finish(self) -> None:
        """Show the results in place of the state, and below them what cannot stand inside them."""
        apart: list[tuple[str, Display]] = []
        for test in self._results.tests.values():
            apart += [(test.name, each) for each in test.displays if not embeds(each)]
            test.displays = [each for each in test.displays if embeds(each)]
        plain, rich = text.render(self._results), markup.render(self._results)
        if self._handle:
            self._publish(plain, rich)
        else:
            show(plain, rich)
        for name, each in apart:
            say(name, "displayed", "display")
            _show(each.data, each.metadata)
