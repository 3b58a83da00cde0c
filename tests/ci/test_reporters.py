"""What reporters, code hosts and conftests see of notebooks: tests, as of modules."""

from __future__ import annotations

import json
import re
import subprocess

import warm_commands

RECORDER = """
import json, os
def tell(**what):
    if "NBXUNIT_KERNEL" not in os.environ:
        with open(os.environ["TOLD"], "a") as file:
            file.write(json.dumps(what) + "\\n")
def pytest_runtest_logreport(report):
    tell(nodeid=report.nodeid, when=report.when, outcome=report.outcome)
def pytest_collectreport(report):
    if not report.passed:
        tell(nodeid=report.nodeid, when="collection", outcome=report.outcome)
"""


def told(shell) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (shell.folder / "told").read_text().splitlines():
        what = json.loads(line)
        found.setdefault(what["nodeid"], []).append(f"{what['when']} {what['outcome']}")
    return found


def test_every_test_is_a_whole_sequence_of_reports(shell):
    """Dead, never run, broken and skipped: whole sequences of tests, collect reports of notebooks."""
    (shell.folder / "conftest.py").write_text(RECORDER)
    shell.env["TOLD"] = str(shell.folder / "told")
    shell.write("dead.ipynb", "import os", "def test_ok(): pass\ndef test_dies(): os._exit(3)\n"
                "def test_after(): pass")  # fmt: skip
    shell.write("broken.ipynb", "1 / 0", "def test_a(): pass")
    shell.write("skip.ipynb", "import pytest\npytest.skip('no', allow_module_level=True)",
                "def test_a(): pass")  # fmt: skip
    result = shell.run("dead.ipynb", "broken.ipynb", "skip.ipynb", "--junitxml=x.xml")
    assert result.counts == {"passed": 1, "skipped": 1, "error": 3}, result.output
    whole = ["setup passed", "call passed", "teardown passed"]
    assert told(shell) == {
        "dead.ipynb::test_ok": whole,
        "dead.ipynb::test_dies": ["setup passed", "call failed", "teardown passed"],
        "dead.ipynb::test_after": ["setup failed", "teardown passed"],
        "broken.ipynb": ["collection failed"],
        "skip.ipynb": ["collection skipped"],
    }
    assert 'message="collection failure"' in (shell.folder / "x.xml").read_text()


def test_a_conftest_on_the_host_sees_functions(shell):
    """Wrappers of protocols, and hooks of collected items, find what a Function has, test by test."""
    (shell.folder / "conftest.py").write_text("""
import os, pytest
def pytest_itemcollected(item):
    assert item.function.__name__ and item.obj and list(item.fixturenames) is not None
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    if "NBXUNIT_KERNEL" not in os.environ:
        params = getattr(item, "callspec", None) and item.callspec.id
        where = item.cls and item.cls.__name__
        print("\\nprotocol of", item.nodeid, item.originalname, params, where, item.fixturenames)
    return (yield)
""")
    shell.write("a.ipynb", """
import pytest
class TestIn:
    @pytest.mark.parametrize("n", [1, 2])
    def test_a(self, n): pass
""", "def test_b(): pass")  # fmt: skip
    result = shell.run("a.ipynb", "-s")
    assert result.counts == {"passed": 3}, result.output
    assert re.findall("protocol of (.*) \\[", result.output) == [
        "a.ipynb::TestIn::test_a[1] test_a 1 TestIn",
        "a.ipynb::TestIn::test_a[2] test_a 2 TestIn",
        "a.ipynb::test_b test_b None None",
    ]


def test_failures_are_annotated_with_lines_of_the_file(shell):
    """Under GITHUB_ACTIONS, and for GitLab, each failure has the line of the .ipynb file."""
    (shell.folder / ".git").mkdir()
    (shell.folder / "deep").mkdir()
    path = shell.write(
        "deep/a.ipynb", "# above\n\nvalue = 1", "def test_a():\n    x = 1\n    assert x == 2"
    )
    broken = shell.write("deep/b.ipynb", "", "ok = 1", "ok\n1 / 0", "def test_a(): pass")
    shell.env["GITHUB_ACTIONS"] = "true"
    result = shell.run("deep", "--code-quality", "out/quality.json", width=200)
    lines = [
        next(n for n, text in enumerate(file.read_text().splitlines(), 1) if part in text)
        for file, part in [(path, "assert x == 2"), (broken, "1 / 0")]
    ]
    found = re.findall("^::error file=(.*),line=(\\d+),title=(.*?)::", result.output, re.MULTILINE)
    assert found == [
        ("deep/a.ipynb", str(lines[0]), "deep/a.ipynb%3A%3Atest_a"),
        ("deep/b.ipynb", str(lines[1]), "deep/b.ipynb"),
    ], result.output
    quality = json.loads((shell.folder / "out/quality.json").read_text())
    assert [(each["location"]["path"], each["location"]["lines"]["begin"]) for each in quality] == [
        ("deep/a.ipynb", lines[0]), ("deep/b.ipynb", lines[1]),
    ]  # fmt: skip
    del shell.env["GITHUB_ACTIONS"]
    assert "::error" not in shell.run("deep").output


def test_what_ends_a_kernel_or_takes_too_long_is_annotated_at_its_line(shell):
    """A dead kernel has the line of its cell or test, a late test that of what it did, also in companions."""
    (shell.folder / ".git").mkdir()
    ends = "import os\nos._exit(3)"
    files = {
        shell.write("a_dead.ipynb", "def test_a(): pass\ndef test_b():\n    " + ends.replace("\n", "; ")
                    + "\ndef test_c(): pass"): ["def test_b", "def test_c"],
        shell.write("b_cell.ipynb", "value = 1", ends, "def test_a(): pass"): ["import os"],
        shell.write("c_late.ipynb", "import time\ndef test_a():\n    time.sleep(60)"): ["time.sleep"],
    }  # fmt: skip
    companion = shell.folder / "test_d.py"
    companion.write_text("import os, pytest\n\n"
                         "@pytest.mark.notebook('b_cell.ipynb', execute=False)\n"
                         "def test_a(notebook):\n    os._exit(3)\n\ndef test_b(): pass\n")  # fmt: skip
    files[companion] = ["@pytest", "def test_b"]
    library = shell.folder / "test_e.py"  # raises in a file that is not the project's
    library.write_text("import json, pytest\n\n@pytest.mark.notebook('b_cell.ipynb', execute=False)\n"
                       "def test_a(notebook):\n    json.loads('{')\n")  # fmt: skip
    files[library] = ["json.loads"]
    result = shell.run(".", "--annotate", "--test-timeout", "2", width=200)
    assert result.counts == {"passed": 1, "failed": 2, "error": 5}, result.output
    found = re.findall("^::error file=(.*),line=(\\d+),", result.output, re.MULTILINE)
    assert found == [
        (file.name, str(next(n for n, line in enumerate(lines, 1) if part in line)))
        for file, parts in files.items()
        for lines in [file.read_text().splitlines()]
        for part in parts
    ], result.output
    assert ">       time.sleep(60)" in result.output, result.output


def test_pycharm_hears_what_it_hears_of_modules(shell):
    """teamcity-messages, which PyCharm's runner is, tells tests of a notebook as those of a module."""
    code = """
import pytest
@pytest.fixture
def bad(): raise ValueError("no")
def test_passes(): print("hello")
def test_fails(): assert 1 == 2
def test_error(bad): pass
@pytest.mark.skip(reason="later")
def test_skipped(): pass
@pytest.mark.parametrize("n", [1, 2])
class TestIn:
    def test_n(self, n): assert n == 1
"""
    shell.write("same.ipynb", code)
    (shell.folder / "same.py").write_text(code)
    shell.write(
        "dead.ipynb",
        "import os\ndef test_a(): os._exit(3)\nclass TestB:\n    def test_b(self): pass",
    )
    shell.write("wrong.ipynb", "1 / 0", "def test_a(): pass")

    def told(file):
        done = warm_commands.run(
            "pytest", ["--nbxunit", "--teamcity", file], cwd=shell.folder, env=shell.env, timeout=90,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        messages = re.findall(r"##teamcity\[(test\w+) (.*)\]", done.stdout)
        names = (re.search(r" name='([^']*)", rest) for _, rest in messages)
        return [
            (kind, name[1].partition(".")[2])
            for (kind, _), name in zip(messages, names, strict=True)
            if name
        ]

    assert told("same.ipynb") == told("same.py")
    assert told("dead.ipynb") == [
        (kind, name) for name in ("test_a", "TestB.test_b") for kind in ("testStarted", "testFailed", "testFinished")
    ]  # fmt: skip
    assert ("testFailed", "top_level_collect") in told("wrong.ipynb")


def test_differences_are_in_colour(shell):
    """With --color=yes the lines of a difference have pytest's colours, and files of reports have none."""
    shell.write("a.ipynb", "def test_a():\n    assert 'abc\\ndef' == 'abc\\ndeg'")
    for options in ([], ["-p", "xdist", "--numprocesses=1"]):
        result = shell.run("a.ipynb", "--color=yes", "--junitxml=j.xml", *options)
        assert re.search(r"\x1b\[91m- deg", result.output)
        assert re.search(r"\x1b\[92m\+ def", result.output)
        assert "x1B" not in (shell.folder / "j.xml").read_text()
