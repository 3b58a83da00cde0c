"""Why there are no tests: what a person is told of a run that found none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbxunit.kernel.run.engine import Prepared


def reasons_for_none(prepared: Prepared) -> list[str]:
    """Why a notebook has no tests: what was looked at."""
    config, registry = prepared.config, prepared.notebook.registry
    if prepared.selecting.collected:
        return [f"{len(prepared.selecting.collected)} tests, all deselected"]
    functions = " or ".join(config.getini("python_functions"))
    classes = " or ".join(config.getini("python_classes"))
    names = registry.defined_names()
    looked_at = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")  # noqa: PLR2004
    return [
        f"no %%xunit_test cell, and no function named {functions}*, class named {classes}* or TestCase",
        f"looked at: {looked_at}" if names else "no cell defines a function or class",
    ]
