"""What Tab offers behind our magics, and their form as comments: scopes, classes, tests, fixtures, marks, options.

Imports the standard library and the model of the notebook.
"""

from __future__ import annotations

import inspect
import sys
import unittest
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nbxunit.directives import SCOPES
from nbxunit.kernel.compat import nodes as pytest_nodes
from nbxunit.kernel.compat import plugins
from nbxunit.kernel.inline.guards import OPTIONS
from nbxunit.kernel.inline.live import CHOICES
from nbxunit.kernel.results import outline

if TYPE_CHECKING:
    from nbxunit.kernel.inline.live import LiveNotebook

RUN_OPTIONS = (
    *OPTIONS, "--collect-only", "--deselect", "--durations=", "--exitfirst", "--failed-first", "--ff",
    "--fixtures", "--help", "--last-failed", "--lf", "--maxfail=", "--pdb", "--showlocals", "--stepwise",
    "--sw", "--tb=short", "-k", "-m", "-s", "-v", "-x",
)  # fmt: skip
"""Options of `%xunit_run` that a person may want to find; pytest knows more."""
MARKS = ("filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail")
"""pytest's own marks."""
_HOOKS = ("%%xunit_setup", "%%xunit_teardown", "%xunit_open")


def completer(live: LiveNotebook, magic: str) -> Callable[[Any, Any], list[str]]:
    """IPython's form of a completer for `magic`, `%xunit_run` or the like."""

    def complete(_: Any, event: Any) -> list[str]:
        return offers(live, magic, str(event.text_until_cursor), str(event.symbol))

    return complete


def comment_completer(live: LiveNotebook) -> Callable[[Any, Any], list[str]]:
    """The same for `# xunit:`, behind which stands what a magic is called, and its words."""

    def complete(_: Any, event: Any) -> list[str]:
        text, symbol = str(event.text_until_cursor), str(event.symbol)
        kind, space, rest = text.partition("xunit:")[2].lstrip().partition(" ")
        if not space:
            kinds = [each for each in ("setup", "teardown", "test") if each.startswith(kind)]
            return [each[len(kind) - len(symbol) :] for each in kinds]
        return offers(live, f"%%xunit_{kind}", f"%%xunit_{kind} {rest}", symbol)

    return complete


def offers(live: LiveNotebook, magic: str, text: str, symbol: str) -> list[str]:
    """What can stand where `text` ends, each as it would replace `symbol`, the end of `text`."""
    rest = text.partition(magic)[2]
    words = rest.split(" ")
    word, before = words[-1], [each for each in words[:-1] if each]
    if magic.startswith("%%") and before and before[-1] == "--mark":
        candidates: Iterable[str] = _marks(live)
    elif magic.startswith("%%") and rest.count("(") > rest.count(")") and "--mark" not in rest:
        word = rest.rpartition("(")[2].rpartition(",")[2].lstrip()
        candidates = _fixtures(live)
    else:
        candidates = _candidates(live, magic, before)
    found = [each for each in candidates if each.startswith(word)]
    # What IPython replaces begins behind the last of its delimiters, one of which is a colon.
    start = len(word) - len(symbol)
    return list(dict.fromkeys(each[start:] for each in found))


def _candidates(live: LiveNotebook, magic: str, before: list[str]) -> Iterable[str]:
    if magic in _HOOKS:
        scopes = SCOPES if magic != "%xunit_open" else ("module", "class")
        if not before:
            return scopes
        return _classes(live) if before[-1] in ("class", "method") else ()
    if magic == "%%xunit_test":
        return ["--mark", *(f"{name}::" for name in _classes(live))] if not before else ["--mark"]
    if magic == "%xunit_run":
        return [*RUN_OPTIONS, *_classes(live), *_tests(live)]
    return [f"{name}={value}" for name, values in CHOICES.items() for value in values]


def _tests(live: LiveNotebook) -> Iterable[str]:
    return [
        f"{prefix}{test.name}" for prefix, test in outline.of(live.notebook, live.last_runs).walk()
    ]


def _marks(live: LiveNotebook) -> Iterable[str]:
    """Pytest's marks, and those of the ini file."""
    words = plugins.ini_values(live.notebook.path.parent).get("markers", [])
    own = (word.partition(":")[0].partition("(")[0] for word in words if ":" in word)
    return sorted({*MARKS, *filter(str.isidentifier, own)})


def _fixtures(live: LiveNotebook) -> Iterable[str]:
    """The fixtures of the notebook, of the conftests that are loaded, and of pytest."""
    loaded = [
        vars(module) for name, module in list(sys.modules.items())
        if name.startswith(("_pytest.", "conftest", "pytest_"))
    ]  # fmt: skip
    names = {"request"}
    for namespace in (live.notebook.namespace, *loaded):
        for name, value in list(namespace.items()):
            if pytest_nodes.is_fixture(value):
                names.add(pytest_nodes.fixture_name(value) or name)
    return sorted(name for name in names if not name.startswith("_"))


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
