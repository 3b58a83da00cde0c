"""Fixtures of what teams run in CI: real runs of `nbxunit`, with --long also on spawned kernels."""

from __future__ import annotations

from pathlib import Path

import pytest
from shells import Shell


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on spawned kernels, too, in the long form."""
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "shell" in metafunc.fixturenames and "shell" not in given:
        spawned = ["spawned"] if metafunc.config.getoption("long") else []
        metafunc.parametrize("shell", ["forked", *spawned], indirect=True)


@pytest.fixture
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder, *(["--no-fork"] if request.param == "spawned" else []))
