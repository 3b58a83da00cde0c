"""Front ends without HTML, runners that only see whether a cell failed, and what each sends."""

from __future__ import annotations

import os
import subprocess
import sys

import live
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
TYPED = """\
%load_ext nbxunit
def test_good(): assert 1

def test_bad(): assert [1, 2] == [1, 3]

%xunit_run
%xunit_list
%xunit_run test_good
"""


def typed(words, folder, encoding="utf-8"):
    """What a terminal shows when `TYPED` is typed into it."""
    environment = {
        **os.environ,
        "PYTHONIOENCODING": encoding,
        "TERM": "dumb",
        "IPYTHONDIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-m", *words], input=TYPED.encode(), cwd=folder, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout.decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "passed", "failed"), [("utf-8", "✓", "✗"), ("ascii", "ok", "FAIL")]
)
def test_ipython(tmp_path, encoding, passed, failed):
    """Plain ipython shows the text, in ASCII where the terminal knows nothing else, and no HTML."""
    shown = typed(
        ["IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"], tmp_path, encoding
    )
    assert f"{passed} test_good  passed" in shown
    assert f"{failed} test_bad  failed" in shown
    assert "E   assert [1, 2] == [1, 3]" in shown
    assert "1 failed, 1 passed in" in shown
    assert "TestsFailed: 1 failed" in shown
    assert "<div" not in shown


def test_jupyter_console(tmp_path):
    """`jupyter console` shows the text too."""
    pytest.importorskip("jupyter_console")
    shown = typed(["jupyter_console", "--simple-prompt", "--no-confirm-exit"], tmp_path)
    assert "✓ test_good  passed" in shown
    assert "✗ test_bad  failed" in shown
    assert "TestsFailed: 1 failed" in shown
    assert "<div" not in shown


def test_papermill(tmp_path):
    """Papermill stops at the cell of a failed run, and names the exception."""
    papermill = pytest.importorskip("papermill")
    sources = ["%load_ext nbxunit", "%%xunit_test test_a\nassert 0", "never = 1"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=METADATA)
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="TestsFailed: 1 failed: test_a"):
        papermill.execute_notebook(
            tmp_path / "in.ipynb", tmp_path / "out.ipynb", progress_bar=False
        )
    last = nbformat.read(tmp_path / "out.ipynb", 4).cells[-1]
    assert last.execution_count is None


def test_what_vs_code_sends(tmp_path):
    """VS Code's cell ids are URIs with a fragment: registration, replacement and links follow them."""
    one = "vscode-notebook-cell:/home/me/nb.ipynb#W0sZmlsZQ%3D%3D"
    two = "vscode-notebook-cell:/home/me/nb.ipynb#W1sZmlsZQ%3D%3D"
    with live.started(tmp_path) as kernel:
        kernel.run("%%xunit_test test_a\npass", one)
        assert "replaces that of" in kernel.run("%%xunit_test test_a\nassert 1", two).text
        kernel.run("%%xunit_test test_b\nassert 0", two)
        reply = kernel.run("%xunit_run", one)
        assert f'href="#cell-id={two}"' in reply.html
        assert "1 failed" in reply.text


def test_what_colab_sends(tmp_path):
    """Without cell ids a cell is its text: an edited one replaces the test it names, and no link."""
    with live.started(tmp_path) as kernel:
        kernel.run("%%xunit_test test_a\nassert 0")
        assert "replaces that of" in kernel.run("%%xunit_test test_a\nassert 1").text
        reply = kernel.run("%xunit_run")
        assert "1 passed" in reply.text
        assert "href" not in reply.html
        assert len(reply.outputs) == 1
