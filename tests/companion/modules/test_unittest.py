"""A TestCase has its notebook as `self.notebook`."""

import unittest

import pytest


@pytest.mark.notebook("../notebooks/names.ipynb")
@pytest.mark.usefixtures("notebook")
class TestNames(unittest.TestCase):
    def setUp(self):
        self.rate = self.notebook.rate

    def test_rate(self):
        self.assertEqual(self.rate, 1)

    def test_function(self):
        self.assertEqual(self.notebook.scaled(2), 2)


class TestMethods(unittest.TestCase):
    @pytest.mark.notebook("../notebooks/names.ipynb", scope="function")
    @pytest.mark.usefixtures("notebook")
    def test_marked_method(self):
        self.assertEqual(self.notebook.scaled(1), 1)
