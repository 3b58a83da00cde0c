"""What a run has collected, as names and lists.

May import pytest.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from nbxunit.kernel.compat import nodes as pytest_nodes


def original_name(node: pytest.Item | pytest.Collector) -> str:
    """The name of a node without parameters."""
    return str(getattr(node, "originalname", None) or node.name)


def target(node: pytest.Item | pytest.Collector) -> str:
    """The name of a test or class inside its notebook, without parameters: `TestDb::test_insert`."""
    chain = [each for each in node.listchain() if isinstance(each, pytest.Class | pytest.Item)]
    return "::".join(map(original_name, chain))


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
