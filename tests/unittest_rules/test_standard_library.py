"""Modules of Python's own tests of unittest, as notebooks."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conformance"))

import batches  # noqa: E402
import to_notebook  # noqa: E402
import warm_commands  # noqa: E402

PACKAGE = "unittest.test" if sys.version_info < (3, 12) else "test.test_unittest"
MODULES = ("test_setups", "test_skipping")


@pytest.mark.timeout(batches.TIMEOUT)
def test_counts(tmp_path):
    """As many tests run as notebooks as `python -m unittest` runs, and all pass."""
    if _origin(PACKAGE) is None:
        pytest.skip(f"this Python came without {PACKAGE}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    wanted = {}
    for name in MODULES:
        origin = _origin(f"{PACKAGE}.{name}")
        assert origin is not None
        source = Path(origin).read_text(encoding="utf-8")
        if list(to_notebook.problems(ast.parse(source))):
            pytest.skip(f"{name} needs its package")
        nbformat.write(to_notebook.convert(source), tmp_path / f"{name}.ipynb")
        wanted[name] = _by_unittest(f"{PACKAGE}.{name}", tmp_path)
    words = ["run", "--junitxml=report.xml", *(f"{name}.ipynb" for name in wanted)]
    done = warm_commands.run(
        "nbxunit", words, cwd=tmp_path, env=batches.environment(), timeout=batches.TIMEOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    cases = [
        case.get("classname", "").partition(".")[0]
        for case in ET.parse(tmp_path / "report.xml").iter("testcase")
    ]
    assert {name: cases.count(name) for name in wanted} == wanted, done.stdout


def _origin(module: str) -> str | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return spec.origin if spec is not None else None


def _by_unittest(module: str, folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "unittest", module], cwd=folder, env=batches.environment(),
        text=True, capture_output=True, timeout=batches.TIMEOUT, check=True,
    )  # fmt: skip
    found = re.search(r"Ran (\d+) tests", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])
