"""Hooks of a conftest that end pytest in the kernel early: what had run is told, and it is no success."""

from __future__ import annotations

import pytest

FAILS = "def test_a(): assert 0"
# hook in the kernel: the outcomes that are told of its notebook
LATE = {
    "pytest_sessionfinish(): raise KeyboardInterrupt": {"FAILED", "PASSED", "ERROR"},
    "pytest_sessionfinish(): raise SystemExit(0)": {"FAILED", "PASSED", "ERROR"},
    "pytest_unconfigure(): raise KeyboardInterrupt": {"FAILED", "PASSED", "ERROR"},
    "pytest_unconfigure(): 1 / 0": {"FAILED", "PASSED", "ERROR"},
}
EARLY = {
    "pytest_cmdline_main(): return 0": {"ERROR"},
    "pytest_collection(): return True": {"ERROR"},
    "pytest_runtestloop(): return True": {"ERROR"},
}
RAISING = {
    f"{hook}(): raise RuntimeError('told of {hook}')": {"ERROR"}
    for hook in ("pytest_addoption", "pytest_configure", "pytest_collection_modifyitems")
}
HOOKS = [*LATE, *EARLY, *RAISING]


@pytest.fixture(scope="module")
def shell_of_hooks(shells):
    """A folder for each hook, with a notebook and a conftest that is harmless on the host."""
    shell = shells()
    for number, hook in enumerate(HOOKS):
        (shell.folder / f"h{number}").mkdir()
        shell.write(f"h{number}/a.ipynb", "def test_0(): pass", FAILS)
        conftest = f"import os\nif 'NBXUNIT_KERNEL' in os.environ:\n    def {hook}\n"
        (shell.folder / f"h{number}" / "conftest.py").write_text(conftest)
    return shell


@pytest.fixture(scope="module")
def output(shell_of_hooks):
    """What a run of all of them prints."""
    result = shell_of_hooks.run(".", "-rA", width=200)
    assert result.exit == 1, result.output
    assert shell_of_hooks.kernels() == []
    return result.output


@pytest.mark.parametrize("hook", HOOKS)
def test_run(output, hook):
    """Results that were known are kept, and an error says that it did not end well."""
    notebook = f"h{HOOKS.index(hook)}/a.ipynb"
    summary = [line.partition(" - ")[0].split() for line in output.splitlines()]
    outcomes = {line[0] for line in summary if len(line) > 1 and line[1].startswith(notebook)}
    assert outcomes == {**LATE, **EARLY, **RAISING}[hook]


@pytest.mark.parametrize("hook", RAISING)
def test_what_a_hook_raised(output, hook):
    """What ended pytest in the kernel is told, and where in the conftest it was raised."""
    name = hook.partition("(")[0]
    assert f"RuntimeError: told of {name}" in output
    assert f"h{HOOKS.index(hook)}/conftest.py" in output


def test_listing(shell_of_hooks):
    """Under --collect-only a kernel that never said which tests there are is an error."""
    result = shell_of_hooks.run(".", "--collect-only", width=200)
    assert result.exit == 2, result.output
    for hook in ("pytest_cmdline_main(): return 0", "pytest_collection(): return True"):
        assert f"ERROR h{HOOKS.index(hook)}/a.ipynb" in result.output
