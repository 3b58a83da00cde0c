"""What raises where a test fails: test cells too, only runs of several, or nothing."""

from __future__ import annotations

import live
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

RED = "%%xunit_test test_red\nassert [1, 2] == [1, 3]"
PERSON = [
    ({"cellId": "a"}, {"cellId": "b"}), ({"colab": {"cell_id": "a"}}, {"colab": {"cell_id": "b"}}),
]  # fmt: skip
"""What front ends send for a test cell, and for another one that runs all tests."""
GOES_ON = "The notebook goes on."


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A kernel whose test cells run."""
    with live.started(tmp_path_factory.mktemp("notebook"), loaded=False) as kernel:
        kernel.run("%load_ext nbxunit")
        yield kernel


@pytest.fixture
def kernel(started):
    """That kernel with the settings that it begins with."""
    started.run("%xunit_reset")
    started.run("from nbxunit.kernel import extension")
    started.run("extension.load(get_ipython()).settings.raise_on_failure = ''")
    return started


@pytest.mark.parametrize(("one", "other"), PERSON)
def test_a_persons_test_cell(kernel, one, other):
    """A person's "Run All" goes on past a test cell, which says so; `%xunit_run` raises."""
    reply = kernel.run(RED, metadata=one)
    assert reply.error == ""
    assert GOES_ON in reply.texts[0].splitlines()[-1]
    assert "1 failed" in reply.text
    reply = kernel.run("%xunit_run", metadata=other)
    assert reply.error == "TestsFailed"
    assert GOES_ON not in reply.text
    assert reply.text.splitlines()[-1] == "TestsFailed: %xunit_run --lf runs what failed again"


def test_debug_behind_a_test_cell(kernel):
    """`%debug` lands in the failure of a test cell that has not raised."""
    kernel.run("%%xunit_test test_red\nnumber = 41\nassert number == 42", "a")
    assert "number = 41" in kernel.run("%debug", "b", answers=["p f'{number = }'", "q"]).text


@pytest.mark.parametrize("metadata", [{}, {"trusted": True}])
def test_a_runners_test_cell(kernel, metadata):
    """Without a cell's id, as under nbclient and papermill, a failing test cell raises."""
    reply = kernel.run(RED, metadata=metadata)
    assert reply.error == "TestsFailed"
    assert "TestsFailed: 1 failed: test_red" in reply.text


@pytest.mark.parametrize(
    ("setting", "of_cell", "of_run"),
    [
        ("cells", "TestsFailed", "TestsFailed"), ("True", "TestsFailed", "TestsFailed"),
        ("run", "", "TestsFailed"), ("off", "", ""), ("False", "", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("one", "other"), [PERSON[0], ({}, {})])
def test_settings(kernel, setting, of_cell, of_run, one, other):
    """What was set counts everywhere; True is `cells`, and False is `off`."""
    kernel.run(f"%xunit_config raise_on_failure={setting}")
    assert kernel.run(RED, metadata=one).error == of_cell
    reply = kernel.run("%xunit_run", metadata=other)
    assert reply.error == of_run
    assert "1 failed" in reply.text


def test_what_is_set_is_shown(kernel):
    """`%xunit_config` shows what counts here, and refuses what it does not know."""
    assert "raise_on_failure=run" in kernel.run("%xunit_config", "a").text
    assert "raise_on_failure=cells" in kernel.run("%xunit_config").text
    reply = kernel.run("%xunit_config raise_on_failure=sometimes")
    assert reply.error == "UsageError"
    assert "raise_on_failure=cells|run|off" in reply.text


def test_nbclient(tmp_path):
    """Under nbclient a notebook whose test cell fails has failed."""
    cells = [new_code_cell(source) for source in ("%load_ext nbxunit", RED)]
    client = NotebookClient(new_notebook(cells=cells), resources={"metadata": {"path": tmp_path}})
    with pytest.raises(CellExecutionError, match="TestsFailed: 1 failed: test_red"):
        client.execute()
    nbformat.validate(client.nb)
