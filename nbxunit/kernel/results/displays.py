"""What a test displays, kept for its result; figures that it leaves open are shown and closed.

May import IPython and pytest. With `-s`, displays and prints go straight to the cell.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.displaypub import DisplayPublisher

from nbxunit.kernel.results.model import Display

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbxunit.kernel.results.model import Results

_EMBEDDED = frozenset(
    {"text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/plain"}
)
_VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    }
)
_REFUSED = frozenset(
    {"script", "iframe", "object", "html", "head", "body", "frameset", "plaintext", "template"}
)


class Displays:
    """The plugin that gives what a test displays to its result."""

    def __init__(self, shell: InteractiveShell, results: Results | None = None) -> None:
        self._shell = shell
        self._results = results
        self._figures: set[int] = set()
        self._publisher = _Publisher()  # one for all tests: to make it takes its time

    @property
    def of_running_test(self) -> list[Display]:
        """What the test that runs has displayed so far."""
        return [display for _, display in self._publisher.kept]

    def pytest_sessionstart(self) -> None:
        """Remember the figures that a person has open."""
        self._figures = _open_figures()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Keep what is displayed between a test's beginning and its end."""
        if item.config.getoption("capture", "no") == "no":
            return (yield)
        with self._publisher.in_place_of(self._shell) as kept:
            outcome = yield
        if kept and self._results is not None and item.nodeid in self._results.tests:
            self._results.tests[item.nodeid].displays += [display for _, display in kept]
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Show and close the figures that the test's body leaves open."""
        before = _open_figures()
        try:
            return (yield)
        finally:
            _show_and_close(_open_figures() - before)

    def pytest_sessionfinish(self) -> None:
        """Close the figures that hooks and fixtures have left open."""
        _close(_open_figures() - self._figures)


class _Publisher(DisplayPublisher):
    """Keeps what is published; an update of what is not among it goes its way."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._outer: Any = None
        self.kept: list[tuple[object, Display]] = []

    @contextlib.contextmanager
    def in_place_of(self, shell: InteractiveShell) -> Iterator[list[tuple[object, Display]]]:
        """Within, what is displayed is kept in the list, beside its display id."""
        self._outer, self.kept = shell.display_pub, []
        shell.display_pub = self
        try:
            yield self.kept
        finally:
            shell.display_pub = self._outer

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,  # noqa: ARG002 - IPython's signature
        *,
        transient: Any = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        handle = (transient or {}).get("display_id")
        if not update:
            self.kept.append((handle, Display(data, metadata or {})))
            return
        known = [index for index, (other, _) in enumerate(self.kept) if other == handle]
        for index in known:
            self.kept[index] = (handle, Display(data, metadata or {}))
        if not known:
            self._outer.publish(data, metadata, transient=transient, update=True, **kwargs)

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as above
        self.kept.clear()


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else set()


def _show_and_close(numbers: set[int]) -> None:
    if not numbers:
        return
    from IPython.display import display

    pyplot = sys.modules["matplotlib.pyplot"]
    if "inline" in pyplot.get_backend():
        for number in sorted(numbers):
            display(pyplot.figure(number))
    _close(numbers)


def _close(numbers: set[int]) -> None:
    for number in numbers:
        sys.modules["matplotlib.pyplot"].close(number)


def embeds(display: Display) -> bool:
    """Whether something displayed can stand inside a result.

    Formulas, Markdown, widgets and plots with data of their own need the front end's renderers,
    scripts the page's top level, and HTML that leaves an element open would swallow what stands
    behind it.
    """
    if set(display.data) - _EMBEDDED:
        return False
    if "text/html" not in display.data:
        return True
    isolated = display.metadata.get("text/html", display.metadata).get("isolated", False)
    return not isolated and _Nesting.is_sound(str(display.data["text/html"]))


class _Nesting(HTMLParser):
    """Follows the elements of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._sound = True

    @classmethod
    def is_sound(cls, markup: str) -> bool:
        """Whether each element is closed in its turn, and none is a script or frame."""
        parser = cls()
        parser.feed(markup)
        # What is left over begins a tag or comment that does not end.
        return parser._sound and not parser._open and not parser.rawdata

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002
        if tag in _REFUSED:
            self._sound = False
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002
        if tag not in _VOID:  # HTML takes <div/> for <div>
            self._sound = False

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self._sound = False
