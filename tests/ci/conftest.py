"""Fixtures of what teams run in CI: real runs of `nbxunit`, with forked and with spawned kernels."""

from __future__ import annotations

from pathlib import Path

import pytest
from shells import Shell


@pytest.fixture(params=["forked", "spawned"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder, *(["--no-fork"] if request.param == "spawned" else []))
