"""Warnings of what the host and each kernel load."""

from __future__ import annotations


def test_they_are_told_once(shell):
    """A conftest's warning and pytest's own of the ini file count once, as for modules; those of cells each time."""
    warn = "import warnings\nwarnings.warn('old thing')\n"
    (shell.folder / "pytest.ini").write_text("[pytest]\nno_such_option = 1\n")
    for folder in (shell.folder, shell.folder / "below"):
        folder.mkdir(exist_ok=True)
        (folder / "conftest.py").write_text(warn)
        for name in "ab":
            shell.write(str(folder / f"{name}.ipynb"), warn, "def test_a(): pass")
    done = shell.run(".")
    assert done.counts == {"passed": 4, "warning": 7}, done.output
