"""Plugins are found in what is installed, read once."""

from __future__ import annotations

import importlib.metadata

import shells

from nbxunit.kernel.compat import installed


def test_plugins_are_found_as_ever(tmp_path, monkeypatch):
    """Within `read_once` all distributions are there, and a new one is seen."""
    names = {dist.metadata["name"] for dist in importlib.metadata.distributions()}
    with installed.read_once():
        found = {dist.metadata["name"]: dist for dist in importlib.metadata.distributions()}
    assert set(found) == names
    assert found["pytest"].files
    monkeypatch.syspath_prepend(tmp_path)
    shells.install_plugin(tmp_path, "brandnew")
    with installed.read_once():
        new = next(iter(importlib.metadata.distributions()))
        assert [point.name for point in new.entry_points] == ["brandnew"]
