"""A notebook with test cells has a companion as well, which runs none of them."""

import pytest

pytestmark = pytest.mark.notebook("../notebooks/with_tests.ipynb")


def test_its_names(notebook):
    assert notebook.x == 1
    assert notebook.ran == []
