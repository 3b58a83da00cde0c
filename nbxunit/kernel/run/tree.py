"""What a run has collected, as names and lists.

May import pytest.
"""

from __future__ import annotations

import contextlib
import re
import types
from collections.abc import Iterable, Iterator

import pytest

from nbxunit.kernel.compat import nodes as pytest_nodes

_HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_[ido]h|In|Out")


def is_history(name: str) -> bool:
    """Whether a name of the notebook is IPython's own: `_`, `_3`, `In`."""
    return _HISTORY.fullmatch(name) is not None


@contextlib.contextmanager
def without_history(node: pytest.Module) -> Iterator[None]:
    """Within, the module of `node` lacks IPython's names: there are some more with each cell that runs.

    pytest asks all plugins what each of them is.
    """
    whole = node.obj
    node.obj = _Part(whole)
    try:
        yield
    finally:
        node.obj = whole


class _Part(types.ModuleType):
    """A module without IPython's names; what is set in it is set in the whole."""

    def __init__(self, whole: types.ModuleType) -> None:
        names = whole.__dict__.items()
        self.__dict__.update({name: value for name, value in names if not is_history(name)})
        self.__dict__["@whole"] = whole

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        setattr(self.__dict__["@whole"], name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        delattr(self.__dict__["@whole"], name)


def original_name(node: pytest.Item | pytest.Collector) -> str:
    """The name of a node without parameters."""
    return str(getattr(node, "originalname", None) or node.name)


def target(node: pytest.Item | pytest.Collector) -> str:
    """The name of a test or class inside its notebook, without parameters: `TestDb::test_insert`."""
    chain = [each for each in node.listchain() if isinstance(each, pytest.Class | pytest.Item)]
    return "::".join(map(original_name, chain))


def imported_from(item: pytest.Item) -> str | None:
    """The module that defines a test, or its class, where that is not the module that it is a test of."""
    own = getattr(item, "cls", None) or getattr(item, "function", None)
    defined, module = getattr(own, "__module__", None), getattr(item, "module", None)
    return (
        defined
        if isinstance(defined, str) and defined != getattr(module, "__name__", None)
        else None
    )


def descend(
    nodes: Iterable[pytest.Item | pytest.Collector],
) -> tuple[list[pytest.Item], list[pytest.Class]]:
    """The items below `nodes`, and the classes that have any."""
    items: list[pytest.Item] = []
    classes: list[pytest.Class] = []
    for node in nodes:
        if isinstance(node, pytest.Item):
            items.append(node)
        else:
            inner, inner_classes = descend(pytest_nodes.collect_children(node))
            items += inner
            classes += inner_classes
            if inner and isinstance(node, pytest.Class):
                classes.append(node)
    return items, classes
