"""What the process that forks kernels does before the first one, so that none has to do it.

Imports the standard library, and pytest when it is asked to: the server's first imports are its own business.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

LATE_OF_PLUGINS = {"_hypothesis_pytestplugin": "hypothesis.internal.observability"}
"""What plugins, by their modules, import when they write their part of the summary, which is in each kernel."""

MANY_PLUGINS = 4
"""Plugins, ours among them, whose import takes longer than to ask pytest for it."""


def make_ahead() -> None:
    """Make what each kernel's run begins with, while the host is not ready yet either."""
    from nbxunit.kernel.compat import ahead, installed
    from nbxunit.kernel.run.options import WITHOUT_BLOCKED

    ahead.make(WITHOUT_BLOCKED)
    with installed.read_once():
        pass  # what is installed has been read


def load_many_plugins(words: Sequence[str]) -> bool:
    """`load_plugins` if there are so many that it is worth while for a single kernel, and whether it was."""
    from nbxunit.kernel.compat import installed

    is_worth_while = installed.number_of_plugins() >= MANY_PLUGINS
    if is_worth_while:
        load_plugins(words)
    return is_worth_while


def load_plugins(words: Sequence[str]) -> None:
    """Import pytest's plugins, and call none of their hooks, some of which work once in a process.

    What is wrong with one, each kernel says for itself.
    """
    from nbxunit.kernel.compat import config as pytest_config
    from nbxunit.kernel.compat import installed

    with _quiet_pytest(words) as arguments, pytest_config.imported_plugins(arguments) as config:
        installed.plugins_of(config)
        for plugin, late in LATE_OF_PLUGINS.items():
            if plugin in sys.modules:
                importlib.import_module(late)


def run_small_test(words: Sequence[str]) -> None:
    """Run pytest on one small test, so that what a first run in a process loads is there.

    It runs without the plugins of others, some of which work for only one session in a process. How it ends
    does not matter.
    """
    import pytest

    with _quiet_pytest(words) as arguments:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        pytest.main(arguments)
    with contextlib.suppress(Exception):  # a module that answers to every name
        # It learns the files of all modules, which a first traceback waits for.
        inspect.getmodule(compile("", "<nbxunit>", "exec"))


@contextlib.contextmanager
def _quiet_pytest(words: Sequence[str]) -> Iterator[list[str]]:
    """The arguments of a pytest for one small test; what it raises, prints and changes in this process is gone."""
    from nbxunit.kernel.compat import config as pytest_config
    from nbxunit.kernel.compat import installed
    from nbxunit.kernel.run.options import WITHOUT_BLOCKED
    from nbxunit.kernel.run.restoring import restored

    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    hidden = {name: os.environ[name] for name in names if name in os.environ}
    for name in names[:2]:
        os.environ.pop(name, None)
    with (
        tempfile.TemporaryDirectory(prefix="nbxunit-") as folder,
        restored(),
        installed.read_once(),
        pytest_config.fixtures_looked_for_once(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(BaseException),
    ):
        test = Path(folder, "test_nbxunit_warm.py")
        test.write_text("def test_warm(request):\n    assert request\n")
        yield [
            "-q", "-p", "no:cacheprovider", *WITHOUT_BLOCKED, *words,
            "--rootdir", folder, "-c", os.devnull, str(test),
        ]  # fmt: skip
    sys.modules.pop(test.stem, None)
    os.environ.pop(names[2], None)
    os.environ.update(hidden)
