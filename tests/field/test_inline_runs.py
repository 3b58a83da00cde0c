"""Runs in a live notebook: conftests of its folder alone, plugins that report are silent, results stay."""

from __future__ import annotations

import live
import pytest

INI = "[pytest]\naddopts = --cov=os --cov-fail-under=90\nfilterwarnings = error\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with a conftest, and one below that would end the process."""
    (tmp_path / "conftest.py").write_text("import pytest\n@pytest.fixture\ndef six(): return 6\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("raise SystemExit(3)")
    return tmp_path


def test_conftests(folder):
    """The conftest of the first working directory counts, and none below it."""
    with live.started(folder) as kernel:
        kernel.run('import os\nos.chdir("..")')
        kernel.run("def test_a(six):\n    assert six == 6", "A")
        assert "1 passed" in kernel.run("%xunit_run").text
    (folder / "conftest.py").rename(folder / "other.txt")
    (folder / "other.txt").unlink()
    with live.started(folder) as kernel:
        kernel.run("def test_a(): pass", "A")
        assert "1 passed" in kernel.run("%xunit_run").text


def test_reporting_plugins(folder):
    """Coverage of `addopts` fails no run and writes no file, and plugins need no warning."""
    pytest.importorskip("pytest_cov")
    (folder / "pytest.ini").write_text(INI)
    with live.started(folder) as kernel:
        kernel.run("def test_a(six): pass", "A")
        for _ in range(2):
            reply = kernel.run("%xunit_run")
            assert not reply.error, reply.text
            assert "1 passed" in reply.text
            assert "warning" not in reply.text
    assert not (folder / ".coverage").exists()


def test_coverage_is_refused(folder):
    """`%xunit_run --cov` says that nothing is measured in Jupyter, and overwrites nothing."""
    pytest.importorskip("pytest_cov")
    (folder / ".coverage").write_text("as it was")
    with live.started(folder) as kernel:
        kernel.run("def test_a(): pass", "A")
        assert "--cov does nothing in a live notebook" in kernel.run("%xunit_run --cov=os").text
    assert (folder / ".coverage").read_text() == "as it was"


def test_a_conftest_that_fails_at_the_end(folder):
    """What a conftest raises at the end of the session is told beside the results."""
    (folder / "conftest.py").write_text(
        "def pytest_sessionfinish(): raise RuntimeError('at the end')"
    )
    with live.started(folder) as kernel:
        kernel.run("def test_a(): pass\ndef test_b(): assert 0", "A")
        reply = kernel.run("%xunit_run")
    assert reply.error == "TestsFailed"
    assert "RuntimeError: at the end" in reply.text
    assert "1 failed, 1 passed" in reply.text


def test_handlers_of_logging(kernel):
    """A handler that a test has made writes to the cell's output behind the run."""
    kernel.run(
        "import logging, sys\ndef test_log(capsys):\n"
        "    log = logging.getLogger('mine')\n"
        "    log.addHandler(logging.StreamHandler(sys.stdout))\n"
        "def test_other():\n"
        "    logging.getLogger('mine').addHandler(logging.StreamHandler(sys.stderr))",
        "A",
    )
    assert "2 passed" in kernel.run("%xunit_run").text
    text = kernel.run("logging.getLogger('mine').warning('said')").text
    assert text.split() == ["said", "said"]
