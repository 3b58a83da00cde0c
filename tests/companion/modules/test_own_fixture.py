"""Without a mark, a fixture of one's own with the name `notebook` is just that."""

import os

import pytest


@pytest.fixture
def notebook():
    return "a paper one"


def test_own_fixture(notebook):
    assert notebook == "a paper one"
    assert "NBXUNIT_KERNEL" not in os.environ
