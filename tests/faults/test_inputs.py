"""Files that are no sound notebooks, and notebooks of unusual form: right, or one clear error for it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from many import LAST, Batch

SPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(source: Any, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [],
        "execution_count": None, **more,
    }  # fmt: skip


def notebook(*cells: Any, **more: Any) -> bytes:
    plain = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": SPEC}}
    return json.dumps({**plain, "cells": list(cells or [cell(LAST)]), **more}).encode()


def without_ids(*sources: str, minor: int = 5) -> bytes:
    cells = [cell(source) for source in sources]
    for each in cells:
        del each["id"]
    return notebook(*cells, nbformat_minor=minor)


def old(language: str = "python", source: str = LAST) -> bytes:
    code = {
        "cell_type": "code", "collapsed": False, "input": [source], "language": language, "metadata": {},
        "outputs": [],
    }  # fmt: skip
    sheet = {"metadata": {}, "cells": [code]}
    return json.dumps(
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [sheet]}
    ).encode()


def kernel(**spec: Any) -> bytes:
    return notebook(metadata={"kernelspec": {"display_name": "x", "language": "python", **spec}})


THREE = ("%%xunit_test test_a\npass", "%%xunit_test test_b\nassert 0", "%%xunit_test test_c\npass")
ERROR = {"error": 1}
OK = {"passed": 1}
# name: the file, the counts, what is said
FILES: dict[str, tuple[bytes, dict[str, int], str]] = {
    "empty": (b"", ERROR, "empty.ipynb is empty"),
    "blank": (b" \n", ERROR, "blank.ipynb is empty"),
    "truncated": (notebook()[:90], ERROR, "not JSON"),
    "zeros": (b"\0" * 500, ERROR, "not JSON"),
    "latin_1": (notebook().replace(b"pass", b"'\xe9'"), ERROR, "cannot be read: 'utf-8' codec"),
    "utf_16": (notebook().decode().encode("utf-16"), ERROR, "cannot be read: 'utf-8' codec"),
    "bom": (b"\xef\xbb\xbf" + notebook(), OK, ""),
    "nested": (b"[" * 100_000, ERROR, "not a notebook"),
    "list": (b"[]", ERROR, "its JSON is not an object"),
    "number": (b"42", ERROR, "its JSON is not an object"),
    "object": (b"{}", ERROR, "not a notebook"),
    "no_version": (
        json.dumps({"metadata": {}, "cells": [cell(LAST)]}).encode(), ERROR, "does not say its nbformat",
    ),
    "version_as_text": (notebook(nbformat="4"), ERROR, "Unsupported nbformat version 4"),
    "version_2": (
        old().replace(b'"nbformat": 3', b'"nbformat": 2'), OK, "",
    ),
    "version_3": (old(), OK, ""),
    "version_4_99": (notebook(nbformat_minor=99), OK, ""),
    "version_5": (notebook(nbformat=5, nbformat_minor=0), ERROR, "Unsupported nbformat version 5"),
    "no_cells": (notebook(cells=None), ERROR, "not a notebook"),
    "cells_of_text": (notebook(LAST), ERROR, "not a notebook"),
    "no_type": (notebook({"source": LAST}), ERROR, "not a valid notebook"),
    "odd_type": (notebook(cell(LAST), cell("x", id="b", cell_type="sql")), ERROR, "not a valid notebook"),
    "source_in_lines": (notebook(cell(["def test_last():\n", "    pass"])), OK, ""),
    "source_of_number": (notebook(cell(3)), ERROR, "not a valid notebook"),
    "tags_of_text": (notebook(cell(LAST, metadata={"tags": "a"})), ERROR, "not a valid notebook"),
    "surrogate": (notebook(cell(f"x = '\ud800'\n{LAST}")), ERROR, "a lone surrogate) in its cell 1"),
    "nul": (notebook(cell(f"x = 1\0\n{LAST}")), ERROR, "null byte"),
    "crlf": (notebook(cell(THREE[1].replace("\n", "\r\n"))), {"failed": 1}, "cell 1, line 2"),
    "ids_missing": (without_ids(*THREE), {"passed": 2, "failed": 1}, "test_b: "),
    "ids_not_yet": (without_ids(*THREE, minor=4), {"passed": 2, "failed": 1}, "test_b: "),
    "ids_twice": (notebook(*map(cell, THREE)), {"passed": 2, "failed": 1}, "test_b: "),
    "ids_odd": (notebook(cell(LAST, id="a b")), OK, ""),
    "no_kernelspec": (notebook(metadata={}), OK, ""),
    "kernel_unknown": (kernel(name="nosuch"), ERROR, "there is no kernel 'nosuch'; known kernels:"),
    "kernel_path": (kernel(name="../../etc"), ERROR, "there is no kernel '../../etc'"),
    "kernel_escape": (kernel(name="\x1b[31m"), ERROR, r"there is no kernel '\x1b[31m'"),
    "language": (kernel(name="ir", language="R"), {"skipped": 1}, "its language is r"),
    "language_3": (old("ruby", "def test_last; end"), ERROR, "SyntaxError"),
    "name with space": (notebook(), OK, ""),
    "name::colons": (notebook(), OK, ""),
    "name[bracket]": (notebook(), OK, ""),
    "[": (notebook(), OK, ""),
    "näme-日本": (notebook(), OK, ""),
    "name\nline": (notebook(), OK, ""),
    "-k": (notebook(), OK, ""),
    "$(name)'\"": (notebook(), OK, ""),
    "name\\back": (notebook(), OK, ""),
    "folder [x]::y/inner": (notebook(), OK, ""),
    "0_changes": (
        notebook(cell("open('z_changed.ipynb', 'w').write('{')"), cell(LAST)), OK, "",
    ),
    "z_changed": (notebook(), ERROR, "not JSON"),
    "0_deletes": (notebook(cell("import os; os.unlink('z_deleted.ipynb')"), cell(LAST)), OK, ""),
    "z_deleted": (notebook(), ERROR, "cannot be read: [Errno 2]"),
    "own_end": (
        notebook(cell("import os; os.unlink('own_end.ipynb')"), cell(LAST)), ERROR, "file or directory not found",
    ),
}  # fmt: skip
BY_OTHERS = ("z_changed", "z_deleted", "0_deletes")
"""What runs among the others only."""


@pytest.fixture(scope="module")
def batch(shells):
    """All of them in one folder, and a link to it inside."""
    shell = shells()
    for name, (data, _, _) in FILES.items():
        path = shell.folder / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (shell.folder / "loop").symlink_to(shell.folder)
    (shell.folder / "text.ipynb").mkdir()
    shell.write("markdown.ipynb")
    (shell.folder / "markdown.ipynb").write_bytes(
        notebook({"cell_type": "markdown", "id": "a", "metadata": {}, "source": LAST})
    )
    return Batch(shell, "--junitxml=j.xml")


def test_the_run_goes_on(batch):
    """Whatever the files, the notebook behind them runs, nothing is left, the JUnit file is whole."""
    batch.went_on()
    assert "1 notebook without tests not executed" in batch.result.output
    assert "\x1b" not in batch.result.output
    from xml.etree import ElementTree as ET

    assert ET.parse(batch.folder / "j.xml").findall(".//testcase")


@pytest.mark.parametrize("name", [name for name in FILES if name not in BY_OTHERS])
def test_file(told, name):
    """The file is right, or an error that says why, and counts once although a link leads to it."""
    it = told(name)
    _, counts, said = FILES[name]
    assert it.counts == counts, it.text
    assert said in it.text
    assert it.seconds < 20


@pytest.mark.parametrize("name", BY_OTHERS)
def test_file_that_another_changes(batch, name):
    """A notebook that changes or goes away before its turn is an error of its own."""
    it = batch.told(name)
    _, counts, said = FILES[name]
    assert it.counts == counts, it.text
    assert said in it.text


def test_named(shell):
    """Names with the signs of node ids can be written, with and without a test; the language counts."""
    names = ["a::b.ipynb", "a[1].ipynb", "-k.ipynb", "a\nb.ipynb"]
    for name in names:
        (shell.folder / name).write_bytes(notebook(*map(cell, THREE)))
    (shell.folder / "r.ipynb").write_bytes(FILES["language"][0])
    whole = [f"./{name}" for name in names[:2]]
    single = [f"./{name}::test_a" for name in names[2:]]
    result = shell.run(*whole, *single, "r.ipynb")
    assert (result.exit, result.counts) == (1, {"passed": 6, "failed": 2, "error": 1}), (
        result.output
    )
    assert "r.ipynb is in r; nbxunit runs Python notebooks" in result.output


def test_paths_that_lead_nowhere(shell):
    """A link to itself, a broken one and a pipe are one error of pytest's, and nothing hangs or is left."""
    (shell.folder / "self.ipynb").symlink_to("self.ipynb")
    (shell.folder / "broken.ipynb").symlink_to("nothing")
    os.mkfifo(shell.folder / "pipe.ipynb")
    for name in ("self", "broken", "pipe"):
        result = shell.run(f"{name}.ipynb")
        assert result.exit == 4, result.output
        assert f"{name}.ipynb" in result.output
        assert shell.kernels() == []


def test_folder_without_permission(shell):
    """A notebook, and a folder, that this user may not read are an error of their own, or say so."""
    if os.getuid() == 0:
        _as_nobody(shell)
    for name in ("a", "closed/b", "c"):
        path = shell.write(f"{name}.ipynb", LAST) if "/" not in name else None
        if path is None:
            (shell.folder / "closed").mkdir()
            path = shell.write(f"{name}.ipynb", LAST)
    (shell.folder / "a.ipynb").chmod(0)
    (shell.folder / "closed").chmod(0)
    try:
        result = shell.run(".", "-p", "no:cacheprovider")
    finally:
        (shell.folder / "closed").chmod(0o755)
    assert result.exit not in (0, 5), result.output
    assert "Permission denied" in result.output
    assert shell.kernels() == []


def _as_nobody(shell) -> None:
    """Let runs be another user's: root may read everything."""
    setpriv = shutil.which("setpriv")
    reachable = setpriv and subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", "import nbxunit"],
        cwd="/", capture_output=True, check=False,
    ).returncode == 0  # fmt: skip
    if not reachable:
        pytest.skip("root may read everything, and no other user can run this Python")
    for folder in [shell.folder, *shell.folder.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o055 if folder != Path("/tmp") else 0o1777)
    shell.folder.chmod(0o777)
    home = shell.folder / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    shell.env |= {"HOME": str(home), "TMPDIR": str(home)}
    shell.launcher = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_many_cells(shell, pytestconfig):
    """Thousands of cells run, in a time that grows as their number does."""
    count = 100_000 if pytestconfig.getoption("long") else 2_000
    tests = [
        cell("%%xunit_test test_0\npass", id="t0"),
        cell("%%xunit_test test_1\nassert x9", id="t1"),
    ]
    cells = [cell(f"x{at % 100} = {at}", id=f"c{at}") for at in range(count)]
    (shell.folder / "a.ipynb").write_bytes(notebook(*cells, *tests))
    result = shell.run("a.ipynb", timeout=1200)
    assert (result.exit, result.counts) == (0, {"passed": 2}), result.output
    assert result.seconds < max(60, 240 * count / 10_000)


def test_big_notebook(shell):
    """A notebook of 100 MB runs, or is one error."""
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 100_000_000}
    (shell.folder / "a.ipynb").write_bytes(notebook(cell(LAST, outputs=[output])))
    result = shell.run("a.ipynb", timeout=300)
    assert (result.exit, result.counts) == (0, {"passed": 1}), result.output[-2000:]
    assert len(result.output) < 10_000
