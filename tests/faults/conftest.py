"""Fixtures of the faults' tests: real runs of `nbxunit` in a folder of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from shells import Shell  # type: ignore[import-not-found] # in tests/host

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def kernels(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """How the kernels of these tests are started, and how many at once."""
    spawned = ("--no-fork",) if pytestconfig.getoption("kernels") == "spawned" else ()
    return (*spawned, "-n", pytestconfig.getoption("kernel_workers"))


@pytest.fixture
def shell(tmp_path: Path, kernels: tuple[str, ...]) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder, *kernels)


@pytest.fixture(scope="module")
def shells(
    tmp_path_factory: pytest.TempPathFactory, kernels: tuple[str, ...]
) -> Callable[[], Shell]:
    """Makes shells, for runs that several tests look at."""
    return lambda: Shell(tmp_path_factory.mktemp("work"), *kernels)
