"""Fixtures of the faults' tests: real runs of `nbxunit` in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shells import Shell


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Look at what is told of a notebook among many, and in the long form also of it alone."""
    if "told" in metafunc.fixturenames:
        alone = ["alone"] if metafunc.config.getoption("long") else []
        metafunc.parametrize("told", ["together", *alone], indirect=True)


@pytest.fixture
def told(request: pytest.FixtureRequest, batch: Any) -> Callable[[str], Any]:
    """What was reported for a notebook of the module's batch, in one of two ways."""
    return batch.told_alone if request.param == "alone" else batch.told


@pytest.fixture(scope="module")
def rows(
    request: pytest.FixtureRequest, is_long: Callable[[str], bool]
) -> Callable[..., list[str]]:
    """Chooses the rows of a table that belong to this run: a batch has no notebooks of others."""
    file = f"faults/{request.path.name}"
    return lambda table: [name for name in table if not is_long(f"{file}::row[{name}]")]


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
