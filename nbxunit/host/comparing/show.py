"""A difference between outputs as a person reads it. nbdime is imported when there is one."""

from __future__ import annotations

import copy
import difflib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from nbxunit.host.comparing.normalise import normalised
from nbxunit.host.comparing.sanitise import Rule
from nbxunit.host.notebooks import files

LONGEST = 20_000
"""Characters of a difference that are shown."""


def text(
    stored: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], rules: Sequence[Rule]
) -> str:
    """What differs, by nbdime; by Python's difflib, on the texts alone, where that is not installed."""
    try:
        shown = _by_nbdime(stored, new)
    except ImportError:
        shown = _by_difflib(stored, new, rules)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}\n... the rest is left out"


def _by_nbdime(stored: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> str:
    from nbdime.diffing.notebooks import diff_notebooks
    from nbdime.prettyprint import PrettyPrintConfig, pretty_print_diff

    before, now = (
        files.node({"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": [
            {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": None,
             "outputs": _without_counts(outputs)}
        ]})
        for outputs in (stored, new)
    )  # fmt: skip
    out = io.StringIO()
    config = PrettyPrintConfig(out=out, use_color=False, use_git=False, use_diff=False)
    pretty_print_diff(before, diff_notebooks(before, now), "", config)
    return out.getvalue().rstrip()


def _without_counts(outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    copied = [copy.deepcopy(dict(output)) for output in outputs]
    for output in copied:
        if "execution_count" in output:
            output["execution_count"] = None
        output.pop("traceback", None)
        if output["output_type"] == "error":
            output["traceback"] = []
    return copied


def _by_difflib(
    stored: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], rules: Sequence[Rule]
) -> str:
    before, now = (
        [
            line
            for shown in normalised(outputs, rules)
            for form, value in shown.data.items()
            if not form.startswith("image/")
            for line in str(value).splitlines()
        ]
        for outputs in (stored, new)
    )
    return "\n".join(difflib.unified_diff(before, now, "stored", "new", lineterm="", n=2))
