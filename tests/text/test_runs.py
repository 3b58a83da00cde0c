"""Text notebooks run as notebooks: Markdown, R Markdown, Quarto and scripts, as jupytext reads them."""

from __future__ import annotations

import re
import textwrap

import jupytext
import nbformat
import pytest
from shells import Shell

from nbxunit import text_notebooks

MYST = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Intro

db = 1

```{code-cell} ipython3
:tags: [hide-input]

%load_ext nbxunit
```

```{code-cell} ipython3
---
tags: [a, b]
---
# xunit: setup module
db = [1]
```

```{code-cell} python3
# xunit: test test_myst

assert db == [2]  # fails
```
"""
R_MARKDOWN = """\
Text

```{python tags=c("setup")}
number = 1
```

```{python}
def test_rmd():
    assert number == 2  # fails
```
"""
QUARTO = """\
---
title: Quarto
jupyter: python3
---

```{mermaid}
flowchart LR
```

```{python}
#| label: numbers
number = 1
```

```{r}
stop("is not run")
```

```{python}
#| label: check
# xunit: test test_qmd
assert number == 2  # fails
```
"""
SCRIPT = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# Hello

# %%
# %load_ext nbxunit
import warnings

warnings.warn("from a cell")  # warns

# %% tags=["x"]
# xunit: test test_script
import pytest

with pytest.raises(ZeroDivisionError):
    1 / 0
pytest.skip("not today")  # skips

# %%
def test_function():


    assert 1 == 2  # fails
"""
FILES = {"intro.md": MYST, "chunks.Rmd": R_MARKDOWN, "book.qmd": QUARTO, "test_script.py": SCRIPT}


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return shell


def line(file: str, comment: str) -> str:
    """`file:line` of the line that ends in a comment."""
    lines = FILES[file].splitlines()
    return f"{file}:{next(n for n, text in enumerate(lines, 1) if text.endswith(f'# {comment}'))}"


@pytest.mark.parametrize(
    "options", [["-n", "2"], ["--no-fork"], ["-p", "xdist", "--numprocesses=2"]]
)
def test_places(shell, options):
    """Failures, skips and warnings are at lines of the text; node ids begin with its path."""
    result = shell.run(*FILES, "-rA", "--annotate", *options)
    assert result.counts == {"failed": 4, "skipped": 1, "warning": 1}
    for file in FILES:
        assert f"{line(file, 'fails')}: AssertionError" in result.output
        path, _, number = line(file, "fails").partition(":")
        assert f"::error file={path},line={number}," in result.output
    assert "FAILED intro.md::test_myst - assert [1] == [2]" in result.output
    assert f"SKIPPED [1] {line('test_script.py', 'skips')}: not today" in result.output
    assert f"  {line('test_script.py', 'warns')}: UserWarning: from a cell" in result.output
    assert not re.search(r"\bcell \d", result.output)


def test_a_broken_cell(shell):
    """A cell that raises, and one that skips all, name the line of the file."""
    (shell.folder / "a.md").write_text("# A\n\n```python\nx = 1\n\n1 / 0\n```\n")
    (shell.folder / "b.md").write_text(
        "```python\nimport pytest\n\n\npytest.importorskip('no_such')\n```\n"
    )
    result = shell.run("a.md", "b.md", "-rs")
    assert "\na.md:6: ZeroDivisionError: division by zero" in result.output
    assert "SKIPPED [1] b.md:5: could not import 'no_such'" in result.output


@pytest.mark.parametrize(
    "kernel", ["\n  name: python3", " {name: python3}", "\n" + 30 * "    - a\n"]
)
def test_a_kernel_without_a_name_to_display(shell, kernel):
    """The front matter of MyST-NB's documentation, which jupytext cannot read, is read, and keeps its lines."""
    front = f"---\nfile_format: mystnb\nkernelspec:{kernel}\n---\n"
    (shell.folder / "a.md").write_text(f"{front}\n```{{code-cell}}\n1 / 0\n```\n")
    line = front.count("\n") + 3
    said = f"a.md:{line}: ZeroDivisionError" if "name" in kernel else "a.md cannot be read"
    assert said in shell.run("a.md", "--check-execution").output


def test_one_of_them(shell):
    """A test is chosen by its node id, and again by --lf."""
    one = shell.run("test_script.py::test_function", "book.qmd::test_qmd")
    assert one.counts == {"failed": 2, "warning": 1}
    assert shell.run("test_script.py", "book.qmd", "--lf").counts == {
        "failed": 2,
        "deselected": 1,
        "warning": 1,
    }


def test_in_a_folder(shell):
    """Found in a folder is what `nbxunit_files` names; a script is then not a module as well."""
    assert "collected 0 items" in shell.run(".").output
    (shell.folder / "pytest.ini").write_text(
        "[pytest]\nnbxunit_files = *.md *.qmd test_script.py\n"
    )
    (shell.folder / "README.md").write_text("```python\nraise SystemExit\n```\n")
    (shell.folder / "test_module.py").write_text("def test_module():\n    pass\n")
    result = shell.run(".")
    assert result.counts == {"failed": 3, "passed": 1, "skipped": 1, "warning": 1}
    assert "1 notebook without tests" in result.output


def test_a_script_that_is_none(shell):
    """A Python file without jupytext's header is a module, also where it has cells."""
    text = "# %%\nnumber = 1\n\n# %%\ndef test_number():\n    assert number == 1\n"
    (shell.folder / "test_module.py").write_text(text)
    result = shell.run("test_module.py", "-v")
    assert result.counts == {"passed": 1}


@pytest.mark.parametrize("line", ["# xunit: test", "# %%xunit_test", "%%xunit_test"])
def test_a_script_that_registers(shell, line):
    """A named Python file that has a hook or test cell is a notebook without jupytext's header, too."""
    text = f"# %%\nnumber = 1\n\n# %% [tags]\n\n{line} test_number\nassert number == 1\n"
    (shell.folder / "script.py").write_text(text)
    result = shell.run("script.py", "-v")
    assert result.counts == {"passed": 1}
    assert "script.py::test_number PASSED" in result.output


@pytest.mark.parametrize("begin", ["", "# %%\n", "# A comment\n"])
def test_a_script_of_empty_lines(begin):
    """To see that a Python file is no notebook takes no time, however many empty lines it begins with."""
    assert not text_notebooks.says_so(f"{begin}{chr(10) * 5000}x = 1\n")


def test_saved(shell):
    """--save writes the executed notebook as .ipynb."""
    shell.run("intro.md", "--save", "out")
    saved = nbformat.read(shell.folder / "out/intro.ipynb", 4)
    code = [cell for cell in saved.cells if cell.cell_type == "code"]
    assert "test_myst  failed" in code[2].outputs[0].data["text/plain"]


def pair(folder, last: str = "assert True") -> None:
    text = SCRIPT.replace("#   jupytext:\n", "#   jupytext:\n#     formats: ipynb,py:percent\n")
    (folder / "paired.py").write_text(text)
    notebook = jupytext.reads(text, "py:percent")
    notebook.cells[-1].source = textwrap.dedent(
        notebook.cells[-1].source.replace("assert 1 == 2", last)
    )
    nbformat.write(notebook, folder / "paired.ipynb")


def test_a_pair_runs_once(shell):
    """Of two files that jupytext keeps in step, the notebook runs; one that differs does not count for it."""
    pair(shell.folder, "assert 1 == 2")
    result = shell.run("paired.py", "paired.ipynb")
    assert result.counts == {"failed": 1, "skipped": 1, "warning": 1}
    assert "paired.py is paired with paired.ipynb, which runs" in result.output
    assert "FAILED paired.ipynb::test_function" in result.output
    assert "FAILED paired.py::test_function" in shell.run("paired.py").output
    pair(shell.folder, "assert True")
    result = shell.run("paired.py", "paired.ipynb")
    assert result.counts == {"passed": 1, "failed": 1, "skipped": 2, "warning": 2}


def test_without_jupytext(shell):
    """Where jupytext is missing, the error says how to install it."""
    (shell.folder / "jupytext.py").write_text("raise ImportError('not here')\n")
    shell.env["PYTHONPATH"] = str(shell.folder)
    result = shell.run("intro.md")
    assert "install it with: pip install 'nbxunit[text]'" in result.output
    assert result.exit == 1


def test_another_language(shell):
    """A text in another language says so, and does not run."""
    (shell.folder / "r.qmd").write_text(QUARTO.replace("{python}", "{r}"))
    assert "r.qmd is in r; nbxunit runs Python notebooks" in shell.run("r.qmd").output
