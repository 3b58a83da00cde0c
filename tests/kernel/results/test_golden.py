"""What each kind of cell shows: HTML and text against golden files, made by a real kernel.

`NBXUNIT_GOLDEN=write` makes the files again; read the diff as a person would see it.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import gallery
import live
import pytest

GOLDEN = Path(__file__).parent / "golden"
SHOWN = [name for name in gallery.CELLS if name not in ("load", "functions", "function", "data")]


@pytest.fixture(scope="module")
def replies(tmp_path_factory):
    """What came of each cell of the gallery."""
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("%xunit_config run_cells=True", "config")
        return {name: kernel.run(source, name) for name, source in gallery.CELLS.items()}


def settled(text):
    """`text` without what differs from run to run and from one version of pytest to the next."""
    text = re.sub(r"<style>.*?</style>", "<style/>", text, flags=re.DOTALL)
    text = re.sub(
        r"(full pytest report</summary><pre>).*?</pre>", r"\1</pre>", text, flags=re.DOTALL
    )
    text = re.sub(r"\b0x[0-9a-f]+", "ADDRESS", text)
    text = re.sub(r"\d+\.\d\d s\b|\b\d+ ms\b", "TIME", text)
    return re.sub(r"(<(?:div|tr|li|details|pre|table|ul)\b)", r"\n\1", text).strip() + "\n"


@pytest.mark.parametrize("form", ["txt", "html"])
@pytest.mark.parametrize("name", SHOWN)
def test_golden(replies, name, form):
    """The cell shows what its golden file holds."""
    if name in ("frame-words", "frame-table") and pytest.version_tuple < (8, 3):
        pytest.skip("this pytest writes methods with the values that they are of")
    reply = replies[name]
    got = settled("\n".join(reply.texts) if form == "txt" else reply.html)
    file = GOLDEN / f"{name}.{form}"
    if os.environ.get("NBXUNIT_GOLDEN") == "write":
        file.write_text(got, encoding="utf-8")
    assert got == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_goes_to_stdout(replies, name):
    """Each cell shows one display_data with text and HTML, and nothing else."""
    (shown,) = replies[name].standing
    assert shown["msg_type"] in ("display_data", "update_display_data")
    assert set(shown["content"]["data"]) == {"text/plain", "text/html"}


class Elements(HTMLParser):
    """The elements of a piece of HTML, and whether each is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.found.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):  # noqa: D102
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", SHOWN)
def test_survives_the_sanitizer(replies, name):
    """There is only what an untrusted notebook keeps, or does without: no script, id, role, svg."""
    for tag, attributes in Elements(replies[name].html).found:
        assert tag not in ("script", "svg", "iframe", "input", "button")
        assert set(attributes) <= {"class", "style", "href", "open"}, (tag, attributes)
        assert attributes.get("href", "#cell-id=").startswith("#cell-id=")


PLACES = {
    "parameter": """%%xunit_test test_a --mark "parametrize('x', ['<u>1</u>'])"\npass""",
    "message": "%%xunit_test test_a\nraise ValueError('<u>1</u>')",
    "values": "%%xunit_test test_a\nx = '<u>1</u>'\nassert x == ''",
    "source": "%%xunit_test test_a\n'<u>1</u>'; assert 0",
    "stdout": "%%xunit_test test_a\nprint('<u>1</u>'); assert 0",
    "stderr": "%%xunit_test test_a\nimport sys; sys.stderr.write('<u>1</u>'); assert 0",
    "skip": "%%xunit_test test_a\nimport pytest; pytest.skip('<u>1</u>')",
    "warning": "%%xunit_test test_a\nimport warnings; warnings.warn('<u>1</u>')",
    "display": "%%xunit_test test_a\n'<u>1</u>'",
    "refused": "%xunit_run '<u>1</u>'",
    "usage": "%xunit_run --deselect '<u>1</u>' -k '<u>1</u>'",
    "exception": "%%xunit_test test_a\nraise type('<u>1</u>', (Exception,), {})()",
    "collection": "def test_a(): pass\ntest_a.pytestmark = '<u>1</u>'\n%xunit_run",
    "setup": "def setup_module(): raise ValueError('<u>1</u>')\ndef test_a(): pass\n%xunit_run",
}
"""Where text of a person's can come into a result."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with live.started(tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run("%xunit_config run_cells=True", "config")
        yield kernel


@pytest.mark.parametrize("place", PLACES)
def test_escaping(shared, place):
    """Text of a person's never becomes an element, and is there to be read."""
    shared.run("%reset -f\n%xunit_reset", "reset")
    reply = shared.run(PLACES[place], "cell-of-the-test")
    assert "u" not in [tag for tag, _ in Elements(reply.html).found]
    assert "&lt;u&gt;1&lt;/u&gt;" in reply.html, reply.html
