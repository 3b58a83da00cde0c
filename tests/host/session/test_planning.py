"""Which files run first, and which on which machine."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
import simulated
from hypothesis import given
from hypothesis import strategies as st
from shells import Shell

from nbxunit.host.notebooks import imports
from nbxunit.host.session import planning
from nbxunit.host.session.runs import AHEAD
from nbxunit.host.session.selection import give_back

files = st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=30)
seconds = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.floats(0.01, 1000), max_size=30
)


@given(files, seconds, st.integers(1, 8))
def test_every_file_is_in_one_shard(names, known, count):
    """Together the shards are all files, none twice, each shard in the order of the files."""
    parts = planning.shards(names, known, count)
    assert len(parts) == count
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert all(part == sorted(part, key=names.index) for part in parts)


@given(files, seconds, st.integers(1, 8))
def test_shards_take_about_as_long(names, known, count):
    """No shard is longer than the shortest by more than its longest file."""
    parts = planning.shards(names, known, count)
    of = dict(zip(names, planning.estimates(names, known), strict=True))
    loads = [sum(of[name] for name in part) for part in parts]
    longest = max(of.values(), default=0)
    assert max(loads) - min(loads) <= longest + 1e-6


@given(files, seconds, st.integers(1, 8))
def test_order_of_work(names, known, slots):
    """Long files come first, and all others in the order of the arguments; none is lost."""
    order = planning.work_order(names, known, slots)
    assert sorted(order) == list(range(len(names)))
    each = planning.estimates(names, known)
    limit = sum(each) / slots / planning.LONG
    rest = [index for index in order if slots == 1 or each[index] <= limit]
    assert rest == sorted(rest)
    assert order[len(order) - len(rest) :] == rest


def test_a_long_notebook_among_many(tmp_path):
    """It begins first, so all take no longer than it does; results are told in order, the first one soon."""
    seconds = {f"n{number:03}": 15.0 + number % 10 for number in range(300)} | {"n120": 1200.0}
    known = {name: each * 0.8 for name, each in seconds.items()}
    done = simulated.simulated(tmp_path, 20, seconds, known)
    assert done.pool.now < 1.05 * simulated.bound(20, seconds)
    assert [name for _, name in done.results] == sorted(seconds)
    assert done.results[0][0] < 20
    assert done.pool.most <= AHEAD * 20


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_shard_that_makes_no_sense(text):
    """A shard is a number from 1 to how many there are."""
    with pytest.raises(planning.ShardError, match="K/N"):
        planning.shard_of(text)


def slow_give_back(items, order, ours):
    for item in ours:
        before = [other for other in order[: order.index(item)] if other in items]
        items.insert(items.index(before[-1]) + 1 if before else 0, item)


@given(st.integers(0, 12), st.randoms(use_true_random=False))
def test_giving_back(count, chance: random.Random):
    """Each item is behind what stood before it, as inserting one by one would have it."""
    order = list(range(count))
    ours = [item for item in order if chance.random() < 0.5]
    items = [item for item in order if item not in ours and chance.random() < 0.7]
    chance.shuffle(items)
    expected = items.copy()
    slow_give_back(expected, order, ours)
    give_back(items, order, ours)
    assert items == expected


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    for name in "abcd":
        shell.write(f"{name}.ipynb", f"def test_{name}(): pass")
    (tmp_path / "test_m.py").write_text("def test_m(): pass\n")
    return shell


def test_shards_of_a_run(shell):
    """The shards of a suite run each file once, and say which part they are."""
    # On machines of their own, each begins with the same cache; here the second would learn of the first.
    words = [".", "-v", "-p", "no:cacheprovider", "--shard"]
    outputs = [shell.run(*words, f"{k}/2").output for k in (1, 2)]
    assert "nbxunit: shard 1 of 2: 3 of 5 files" in outputs[0]
    ran = [name for output in outputs for name in "abcdm" if f"::test_{name} PASSED" in output]
    assert sorted(ran) == list("abcdm")


def test_learned_seconds(shell):
    """The cache has the seconds of each file, and `--durations` lists the slowest notebooks."""
    shell.write("b.ipynb", "import time\ntime.sleep(1)\ndef test_b(): pass")
    output = shell.run(".", "--durations=2", "-n", "2").output
    assert "slowest 2 notebooks" in output
    kept = json.loads((shell.folder / ".pytest_cache/v/nbxunit/seconds").read_text())
    assert set(kept) == {"test_m.py", *(f"{name}.ipynb" for name in "abcd")}
    slowest = max(kept, key=kept.__getitem__)  # another one than b, on a machine that is busy
    assert f"{slowest}::" in shell.run(".", "-v", "--shard", "1/2").output


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_changed(shell):
    """Only what has changed runs, and what imports that: modules, conftests, scripts of %run."""
    shell.write("a.ipynb", "from lib.deep import x", "def test_a(): pass")
    shell.write("b.ipynb", "%run script.py", "def test_b(): pass")
    (shell.folder / "lib").mkdir()
    (shell.folder / "lib/__init__.py").write_text("")
    (shell.folder / "lib/deep.py").write_text("from . import deeper\nx = 1\n")
    (shell.folder / "lib/deeper.py").write_text("")
    (shell.folder / "script.py").write_text("")
    git(shell.folder, "init", "-q")
    git(shell.folder, "add", ".")
    git(shell.folder, "commit", "-qm", "first")
    nothing = shell.run(".", "--changed")
    assert "0 of 5 files have changed" in nothing.output
    assert nothing.exit == 5
    (shell.folder / "lib/deeper.py").write_text("y = 1\n")
    assert shell.run("--changed", ".").counts == {"passed": 1}
    (shell.folder / "script.py").write_text("z = 1\n")
    shell.write("new.ipynb", "def test_new(): pass")
    output = shell.run(".", "-v", "--changed=HEAD").output
    assert [name for name in ("a", "b", "c", "d", "new", "m") if f"::test_{name} PASSED" in output] == ["a", "b", "new"]  # fmt: skip  # noqa: E501
    (shell.folder / "conftest.py").write_text("")
    assert shell.run(".", "--changed").counts == {"passed": 6}


def test_changed_where_git_cannot_tell(shell):
    """Outside a repository, or for a revision that does not exist, it is a usage error with git's words."""
    result = shell.run(".", "--changed")
    assert result.exit == 4
    assert "--changed: git says: fatal" in result.output


def test_files_of_a_notebook(tmp_path):
    """A static look finds imports of all forms, and follows them."""
    for name, text in {
        "a.py": "import b, c as d\n", "b.py": "", "c.py": "from pkg import (one,\n    two as t)\n",
        "pkg/__init__.py": "", "pkg/one.py": "from ..e import f\n", "pkg/two.py": "",
        "e.py": "lazy import g\nlazy from h import i\n", "g.py": "", "h.py": "", "unused.py": "",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {path.name for path in imports.files_of(tmp_path / "a.py", [])}
    assert found == {
        "a.py",
        "b.py",
        "c.py",
        "__init__.py",
        "one.py",
        "two.py",
        "e.py",
        "g.py",
        "h.py",
    }
