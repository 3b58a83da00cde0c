"""Plugins of pytest in the fork server: which it loads, and when.

Imports the standard library.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from nbxunit.host.kernels.launching import Launched

_NO_AUTOLOAD = "--disable-plugin-autoload"


def words(options: argparse.Namespace) -> tuple[str, ...]:
    """The arguments by which the server's pytest loads what each kernel will, and nothing that is kept out."""
    kept_out = [name for name in options.plugins or () if name.startswith("no:")]
    names = tuple(word for name in (*kept_out, "nbxunit") for word in ("-p", name))
    return (*names, _NO_AUTOLOAD) if _has_no_autoload(options) else names


def _has_no_autoload(options: argparse.Namespace) -> bool:
    return getattr(options, "disable_plugin_autoload", False)  # new in pytest 8.4


class PluginsAhead:
    """A plugin of pytest that lets a server load others while this process does, as each kernel needs them."""

    def __init__(self, launched: Launched) -> None:
        self._launched = launched

    def pytest_plugin_registered(self, plugin_name: str, manager: Any) -> None:
        """Ours is the first: the ini and the command line have been read, and no other is loaded yet."""
        if plugin_name != "nbxunit" or os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            return
        options = manager.get_plugin("pytestconfig").known_args_namespace
        if not _has_no_autoload(options):
            self._launched.load_plugins(words(options))
