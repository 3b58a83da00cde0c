"""Chance: mutated notebooks through the reader, and runs with random faults. Long forms by --long."""

from __future__ import annotations

import copy
import json
import logging
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit import directives
from nbxunit.host.notebooks import files, static_look

SOUND = json.dumps(
    {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title\n", "text"]},
            {"cell_type": "code", "id": "b", "metadata": {"tags": ["x"]}, "execution_count": 1,
             "source": "def test_a(): pass", "outputs": [
                 {"output_type": "stream", "name": "stdout", "text": "x"},
                 {"output_type": "execute_result", "execution_count": 1, "metadata": {},
                  "data": {"text/plain": "1"}}]},
        ],
    }
)  # fmt: skip
VALUES = [None, True, -1, 1e300, "", "x", "\ud800", "\x00", [], {}, [[]], {"a": {}}, "python", 5]


def mutated(chance: random.Random) -> bytes:
    """A notebook with a few changes, in its JSON or in its bytes."""
    data = json.loads(SOUND)
    for _ in range(chance.randint(1, 4)):
        node = data
        while isinstance(node, (dict, list)) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = chance.choice(keys)
            inner = node[key]
            if chance.random() < 0.35 or not isinstance(inner, (dict, list)) or not inner:
                if chance.random() < 0.3:
                    del node[key]
                else:
                    node[key] = copy.deepcopy(chance.choice(VALUES))
                break
            node = inner
    raw = json.dumps(data).encode()
    if chance.random() < 0.3:
        at = chance.randrange(len(raw) or 1)
        raw = chance.choice(
            [raw[:at], raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :], raw + raw]
        )
    return raw


def test_mutated_notebooks(tmp_path, pytestconfig, monkeypatch):
    """Whatever is in the file, reading it gives a notebook that can be run, or a NotebookError."""
    # nbformat logs what is invalid, also half a surrogate pair, which xdist cannot send.
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    path = tmp_path / "a.ipynb"
    read = 0
    for count in range(10_000 if pytestconfig.getoption("long") else 300):
        path.write_bytes(mutated(chance))
        try:
            origin = static_look.peek(path)
            found = files.read(path)
        except files.NotebookError:
            continue
        read += 1
        assert isinstance(origin.kernel, str)
        assert isinstance(origin.is_python, bool)
        for cell in found.cells:
            assert isinstance(cell.source, str), (seed, count)
            assert all(isinstance(tag, str) for tag in files.tags(cell)), (seed, count)
    assert read, seed


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
lines = st.one_of(
    texts,
    st.sampled_from(
        ["%%xunit_test test_a", "# xunit: setup module", "def test_a(): pass", "%time 1"]
    ),
)
sources = st.lists(lines, max_size=4).map("\n".join)
mime = st.dictionaries(st.sampled_from(["text/plain", "text/html", "image/png"]), texts, max_size=2)
outputs = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": texts}
    ),
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": mime, "metadata": st.just({})}),
    st.fixed_dictionaries(
        {"output_type": st.just("error"), "ename": texts, "evalue": texts, "traceback": st.lists(texts, max_size=2)}
    ),
)  # fmt: skip
tags = st.lists(st.from_regex(r"[a-z-]{1,9}", fullmatch=True), unique=True, max_size=2)
metadata = st.one_of(st.just({}), st.fixed_dictionaries({"tags": tags}))


@st.composite
def valid(draw: Any) -> tuple[dict[str, Any], list[str]]:
    """A notebook that nbformat 4.0 to 4.5 allows, and the sources of its cells."""
    minor = draw(st.integers(0, 5))
    found, cells = draw(st.lists(sources, max_size=5)), []
    for number, source in enumerate(found):
        kind = draw(st.sampled_from(["code", "markdown", "raw"]))
        as_lines = draw(st.booleans())
        cell = {
            "cell_type": kind, "metadata": draw(metadata),
            "source": source.splitlines(keepends=True) if as_lines else source,
        }  # fmt: skip
        if kind == "code":
            cell |= {
                "execution_count": draw(st.none() | st.integers(0, 99)),
                "outputs": draw(st.lists(outputs, max_size=2)),
            }
        if minor >= 5:
            cell["id"] = f"{number}-{draw(st.from_regex(r'[a-zA-Z0-9_-]{1,9}', fullmatch=True))}"
        cells.append(cell)
    spec = {
        "kernelspec": {"name": draw(texts.filter(bool)), "display_name": "x", "language": "python"}
    }
    return {
        "nbformat": 4, "nbformat_minor": minor, "metadata": draw(st.sampled_from([{}, spec])), "cells": cells,
    }, found  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks") / "a.ipynb"


@given(valid(), st.sampled_from(["", "\ufeff"]))
def test_valid_notebooks(file, made, mark):
    """Cells, in their order, with their sources, kinds, tags and directives, are those in the file."""
    data, found = made
    file.write_text(mark + json.dumps(data), encoding="utf-8")
    notebook = files.read(file)
    assert [cell.source for cell in notebook.cells] == found
    for cell, plain in zip(notebook.cells, data["cells"], strict=True):
        assert cell.cell_type == plain["cell_type"]
        assert files.tags(cell) == plain["metadata"].get("tags", [])
        assert cell.get("id") == plain.get("id")
        assert directives.find(cell.source) == directives.find("".join(plain["source"]))
    spec = data["metadata"].get("kernelspec", {})
    assert static_look.peek(file) == static_look.Origin("python", spec.get("name", "python3"))


@given(valid(), st.data())
def test_almost_valid_notebooks(file, made, chance):
    """With one value gone or another, it is a notebook of texts all the same, or an error that names it."""
    data, _ = made
    holder: Any = data
    while True:
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = chance.draw(st.sampled_from(keys))
        inner = holder[key]
        if not (inner and isinstance(inner, dict | list)) or chance.draw(st.booleans()):
            break
        holder = inner
    if chance.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = chance.draw(st.sampled_from(VALUES))
    file.write_text(json.dumps(data))
    try:
        notebook = files.read(file)
    except files.NotebookError as exc:
        said = str(exc)
    else:
        said = "a.ipynb "
        assert all(isinstance(cell.source, str) for cell in notebook.cells)
        assert all(isinstance(tag, str) for cell in notebook.cells for tag in files.tags(cell))
        assert isinstance(static_look.peek(file).kernel, str)
    assert said.startswith("a.ipynb ")


# What a cell or a test does; whether a notebook with it passes, or None where that depends on what is behind.
FAULTS = {
    "pass": True,
    "import os; os._exit(0)": False,
    "import os; os.kill(os.getpid(), 9)": False,
    "import sys; sys.exit(0)": False,
    "exit()": False,
    "raise KeyError('x')": False,
    "import time; time.sleep(60)": False,
    "import ctypes; ctypes.string_at(0)": False,
    "import threading; threading.Thread(target=print, args=('x' * 10**6,)).start()": True,
    "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)": True,
    "import os; pid = os.fork(); pid and os.waitpid(pid, 0)": True,
    "import os; os.close(1)": True,
    "print('x' * 10**7)": True,
    "import sys; sys.stdout.close()": None,
    "get_ipython().ask_exit()": False,
    "get_ipython().kernel.session = None": False,
}


def test_soak(shell, pytestconfig):
    """Of runs with random faults none hangs, none is green that should not be, and nothing is left."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for count in range(500 if pytestconfig.getoption("long") else 12):
        passes = set()
        for name in "abc":
            fault = chance.choice(list(FAULTS))
            passes.add(FAULTS[fault])
            place = chance.choice(["{}", "def test_it(): {}", "%%xunit_setup module\n{}"])
            cells = ["x = 1", place.format(fault), "def test_last(): pass"]
            chance.shuffle(cells)
            shell.write(f"{name}.ipynb", *cells)
        options = ["-n", str(chance.randint(1, 3)), "--test-timeout", "2", "--cell-timeout", "2"]
        options += chance.choice([[], ["--no-fork"], ["-x"], ["-s"], ["--save", "out"]])
        process = shell.start("a.ipynb", "b.ipynb", "c.ipynb", *options)
        is_stopped = chance.random() < 0.2
        if is_stopped:
            time.sleep(chance.random() * 4)
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        output, _ = process.communicate(timeout=120)
        where = f"seed {seed}, run {count}, {options}\n{output[-3000:]}"
        if not is_stopped:
            statuses = {1} if False in passes else {0, 1} if None in passes else {0}
            assert process.returncode in statuses, where
        assert process.returncode != pytest.ExitCode.INTERNAL_ERROR, where
        # A process that has no handlers yet dies at once, and its fork server a moment later.
        deadline = time.monotonic() + (5 if is_stopped else 0)
        while shell.kernels() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert shell.kernels() == [], where
