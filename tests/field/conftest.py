"""Fixtures of the tests of what people run into: headless runs, and a live kernel."""

from __future__ import annotations

from pathlib import Path

import live
import pytest
from shells import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A kernel for all tests of a module, with nbxunit loaded."""
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        yield kernel


@pytest.fixture
def kernel(started):
    """That kernel without any registration or name."""
    for line in ("%reset -f", "%xunit_reset"):
        reply = started.run(line)
        assert not reply.error, reply.text
    return started
