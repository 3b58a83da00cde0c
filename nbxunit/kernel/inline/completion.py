"""What Tab offers behind our magics: scopes, classes, tests, options.

Imports the standard library and the model of the notebook.
"""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nbxunit.directives import SCOPES
from nbxunit.kernel.inline.guards import OPTIONS
from nbxunit.kernel.results import outline

if TYPE_CHECKING:
    from nbxunit.kernel.inline.live import LiveNotebook

RUN_OPTIONS = (
    *OPTIONS, "--collect-only", "--deselect", "--durations=", "--exitfirst", "--failed-first",
    "--fixtures", "--last-failed", "--maxfail=", "--pdb", "--showlocals", "--tb=short",
)  # fmt: skip
"""Options of `%xunit_run` that a person may want to find; pytest knows more."""


def completer(live: LiveNotebook, magic: str) -> Callable[[Any, Any], list[str]]:
    """IPython's form of a completer for `magic`, `%xunit_run` or the like."""

    def complete(_: Any, event: Any) -> list[str]:
        return offers(live, magic, str(event.text_until_cursor), str(event.symbol))

    return complete


def offers(live: LiveNotebook, magic: str, text: str, symbol: str) -> list[str]:
    """What can stand where `text` ends, each as it would replace `symbol`, the end of `text`."""
    words = text.partition(magic)[2].split(" ")
    word, before = words[-1], [each for each in words[:-1] if each]
    found = [each for each in _candidates(live, magic, before) if each.startswith(word)]
    # What IPython replaces begins behind the last of its delimiters, one of which is a colon.
    start = len(word) - len(symbol)
    return list(dict.fromkeys(each[start:] for each in found))


def _candidates(live: LiveNotebook, magic: str, before: list[str]) -> Iterable[str]:
    if magic in ("%%xunit_setup", "%%xunit_teardown", "%xunit_open"):
        scopes = SCOPES if magic != "%xunit_open" else ("module", "class")
        if not before:
            return scopes
        return _classes(live) if before[-1] in ("class", "method") else ()
    if magic == "%%xunit_test":
        return ["--mark", *(f"{name}::" for name in _classes(live))] if not before else ["--mark"]
    if magic == "%xunit_run":
        return [*RUN_OPTIONS, *_classes(live), *_tests(live)]
    return [f"{name}={value}" for name in vars(live.settings) for value in (True, False)]


def _tests(live: LiveNotebook) -> Iterable[str]:
    return [
        f"{prefix}{test.name}" for prefix, test in outline.of(live.notebook, live.last_runs).walk()
    ]


def _classes(live: LiveNotebook) -> Iterable[str]:
    notebook = live.notebook
    declared = [each.directive for each in (*notebook.registry.hooks(), *notebook.registry.tests())]
    defined = [
        name
        for name, value in list(notebook.namespace.items())
        if inspect.isclass(value)
        and (name.startswith("Test") or issubclass(value, unittest.TestCase))
        and value.__module__ == "__main__"
    ]
    return dict.fromkeys([*("::".join(each.path) for each in declared if each.path), *defined])
