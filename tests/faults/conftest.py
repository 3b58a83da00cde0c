"""Fixtures of the faults' tests: real runs of `nbxunit` in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from shells import Shell  # type: ignore[import-not-found] # in tests/host


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder)
