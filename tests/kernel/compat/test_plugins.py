"""The private names of pytest about plugins, options and ini files that the kernel side uses."""

from __future__ import annotations

import types
import warnings

import pytest

from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.compat import plugins

pytest_plugins = ["pytester"]


def test_ini_values(tmp_path):
    """The ini file of a folder is read as words, without plugins; a damaged one as nothing."""
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_functions = check_* it_*\n")
    assert plugins.ini_values(tmp_path)["python_functions"] == ["check_*", "it_*"]
    (tmp_path / "pytest.ini").write_text("[pytest\n")
    assert plugins.ini_values(tmp_path) == {}


def test_options_are_known_by_the_names_of_their_values(tmp_path):
    """Long and short options among words, with and without values."""
    config = pytest_config.prepare([str(tmp_path), "-p", "no:cacheprovider"], [])
    words = ["--junitxml=out.xml", "-k", "x", "name", "--nosuch"]
    named = plugins.options_named(config, words)
    assert named == {"xmlpath": "--junitxml", "keyword": "-k"}
    pytest_config.unconfigure(config)


def test_conftests_below_a_folder_are_left_alone(tmp_path):
    """The conftest of a folder is loaded, and none of a folder in it."""
    (tmp_path / "conftest.py").write_text("def pytest_configure(config): config.seen = True")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("raise SystemExit(3)")
    with plugins.own_conftests(tmp_path):
        config = pytest_config.prepare([str(tmp_path)], [])
    assert any(str(tmp_path) in str(name) for name, _ in config.pluginmanager.list_name_plugin())
    pytest_config.unconfigure(config)


def test_quiet_rewriting():
    """Pytest does not warn of modules that were imported before."""
    from _pytest.assertion.rewrite import AssertionRewritingHook

    with plugins.quiet_rewriting(), warnings.catch_warnings():
        warnings.simplefilter("error")
        AssertionRewritingHook._warn_already_imported(object(), "name")


def test_plugins_of_a_module(pytester):
    """What a module names is loaded; what has come too late is told before."""
    pytester.makepyfile(late="def pytest_addoption(parser): pass")
    pytester.syspathinsert()
    session = pytester.getmodulecol("def test_x(): pass").session
    module = types.ModuleType("cells")
    module.pytest_plugins = "late"  # type: ignore[attr-defined]
    assert next(plugins.import_plugins_of(session, module)) == "late"
    module.pytest_plugins = ["nosuch"]  # type: ignore[attr-defined]
    with pytest.raises(pytest.UsageError, match="nosuch"):
        list(plugins.import_plugins_of(session, module))
