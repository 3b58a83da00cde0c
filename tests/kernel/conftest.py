"""What the tests on a live kernel share."""

from __future__ import annotations

import live
import pytest


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A kernel for all tests of a module, with nbxunit loaded."""
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        yield kernel
