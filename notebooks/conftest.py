"""Fixtures and marks for the notebooks of this folder, as pytest finds them for test files."""

import pytest


def pytest_configure(config):
    """Register the marks that the notebooks use."""
    config.addinivalue_line("markers", "slow: takes longer than a person wants to wait")


@pytest.fixture
def messy_csv(tmp_path):
    """A file of customers as it was exported: names and dates in all forms."""
    path = tmp_path / "customers.csv"
    path.write_text("  ada   LOVELACE,10.12.1815\ngrace hopper ,1906-12-09\n")
    return path
