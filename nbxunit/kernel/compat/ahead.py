"""Configurations of pytest that are made before they are asked for.

Private names of pytest, under the rules of `config`. May import pytest.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_ahead: dict[frozenset[str], pytest.Config] = {}


def make(args: Sequence[str]) -> None:
    """Make what a preparation begins with, for one call whose `args` keep the same plugins out.

    It takes a fifth of a small notebook's time; kernels have it from the process that forks them, and
    live ones while they wait for a person. It depends on nothing but these plugins.
    """
    if _kept_out(args) not in _ahead:
        _ahead[_kept_out(args)] = with_own_plugins(args)


def taken(args: Sequence[str], plugins: Sequence[object] | None = None) -> pytest.Config | None:
    """What was made ahead, if it was, in the place of what a call with `args` would make."""
    from _pytest.config import Config

    config = _ahead.pop(_kept_out(args), None)
    if config is not None:
        config.invocation_params = Config.InvocationParams(
            args=tuple(args), plugins=plugins, dir=Path.cwd()
        )
    return config


def with_own_plugins(args: Sequence[str]) -> pytest.Config:
    """A configuration with pytest's own plugins only, and without those that `args` keep out."""
    from _pytest.config import get_config

    return get_config(list(args))


def _kept_out(args: Sequence[str]) -> frozenset[str]:
    words = [name for word, name in itertools.pairwise(args) if word == "-p"]
    words += [word.removeprefix("-p") for word in args if word.startswith("-p")]
    return frozenset(word for word in words if word.startswith("no:"))
