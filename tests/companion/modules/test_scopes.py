"""The cells run once in the fixture's scope, each time in a fresh namespace."""

import pytest

pytestmark = pytest.mark.notebook("../notebooks/counted.ipynb")
order = []


def setup_module():
    order.append("setup_module")


def ran():
    import counter

    return counter.ran


def test_setup_module_comes_first(notebook):
    assert notebook.before == ["setup_module"]


def test_once_a_module(notebook):
    notebook.changed = True
    assert ran() == 1


def test_the_same_namespace(notebook):
    assert notebook.changed
    assert ran() == 1


@pytest.mark.notebook("../notebooks/counted.ipynb", scope="class")
class TestOnceAClass:
    def setup_class(cls):
        order.append("setup_class")

    def setup_method(self):
        order.append("setup_method")

    def test_first(self, notebook):
        assert ran() == 2
        assert "changed" not in notebook
        # With a scope of the same width, setup_class may come before or behind; never setup_method.
        assert "setup_method" not in notebook.before

    def test_second(self, notebook):
        assert ran() == 2


@pytest.mark.notebook("../notebooks/counted.ipynb", scope="function")
class TestOnceATest:
    def setup_method(self):
        order.append("own setup_method")

    def test_first(self, notebook):
        assert ran() == 3
        notebook.changed = True

    def test_second(self, notebook):
        assert ran() == 4
        assert "changed" not in notebook


@pytest.mark.notebook("../notebooks/counted.ipynb", scope="function")
@pytest.mark.parametrize("n", [1, 2])
def test_mark_on_a_function(notebook, n):
    assert ran() == 4 + n


def test_the_wider_namespace_is_back(notebook):
    import sys

    assert notebook.changed
    assert sys.modules["__main__"].__dict__ is notebook.__dict__


def test_modules_are_not_imported_again(notebook):
    import counter

    assert counter.imported == 1
