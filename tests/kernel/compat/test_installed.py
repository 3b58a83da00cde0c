"""Plugins are found in what is installed, read once."""

from __future__ import annotations

import importlib.metadata

from nbxunit.kernel.compat import installed


def test_plugins_are_found_as_ever(tmp_path, monkeypatch):
    """Within `read_once` all distributions are there, and a new one is seen."""
    names = {dist.metadata["name"] for dist in importlib.metadata.distributions()}
    with installed.read_once():
        found = {dist.metadata["name"]: dist for dist in importlib.metadata.distributions()}
    assert set(found) == names
    assert found["pytest"].files
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "brandnew-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: brandnew\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[pytest11]\nbrandnew = brandnew\n")
    with installed.read_once():
        new = next(iter(importlib.metadata.distributions()))
        assert [point.name for point in new.entry_points] == ["brandnew"]
