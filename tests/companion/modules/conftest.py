"""What the companion modules share, as any test folder does."""

import pytest


@pytest.fixture
def from_conftest():
    return "from the conftest of the test module's folder"
