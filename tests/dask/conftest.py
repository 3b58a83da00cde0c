"""Fixtures of the tests of clusters: real schedulers and workers, and runs of `nbxunit` beside them."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed")

import clusters
from shells import Shell


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A scheduler and two workers with nannies, which no test kills."""
    with clusters.cluster(tmp_path_factory.mktemp("cluster"), "one", "two") as made:
        yield made


@pytest.fixture
def doomed(tmp_path):
    """A scheduler and two workers without nannies, which a test may kill."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with clusters.cluster(folder, "one", "two", words=("--no-nanny",)) as made:
        yield made


@pytest.fixture
def shell(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder)
