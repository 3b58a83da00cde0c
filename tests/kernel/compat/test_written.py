"""What a kernel keeps of what cells print: no more than is sent, however it is written."""

from __future__ import annotations

import io

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shells import Shell

from nbxunit.kernel.compat import written
from nbxunit.kernel.compat.captured import in_parts
from nbxunit.protocol import STREAM_TAIL

texts = st.lists(st.text("ab\nä€", max_size=40), max_size=20)


@given(texts)
def test_the_beginning_and_the_end_are_kept(parts):
    """What is written is whole, or its beginning and its end, with the count of what is between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "STREAM_LIMIT", 40)
        patch.setattr(written, "STREAM_TAIL", 7)
        stream = written.Written()
        assert [stream.write(part) for part in parts] == list(map(len, parts))
        kept = stream.getvalue()
    full = "".join(parts)
    head = len(kept) - 7 if kept.left_out else len(kept)
    assert kept[:head] == full[:head]
    assert kept[head:] == full[len(full) - 7 :] if kept.left_out else kept == full
    assert len(kept) + kept.left_out == len(full)
    assert len(kept) <= 40 + 2 * 40 + 7


def test_a_text_encoded_in_parts(monkeypatch):
    """A long text is what it is, though it is encoded part by part."""
    monkeypatch.setattr("nbxunit.kernel.compat.captured.CHUNK", 3)
    file = io.BytesIO()
    stream = in_parts(io.TextIOWrapper)(file, encoding="utf-8", newline="", write_through=True)
    assert stream.write("aä€\n\U0001f600bc") == 7
    with pytest.raises(TypeError):
        stream.write(b"bytes")
    assert file.getvalue().decode() == "aä€\n\U0001f600bc"


PEAK = """\
import os, subprocess, sys
def peak():
    return int(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1]) // 1000
before = peak()"""
WRITES = {
    "lines": "for n in range(60_000): print(f'{n:999}')",
    "descriptor": "for n in range(600): os.write(1, b'%99999d\\n' % n)",
    "process": "subprocess.run([sys.executable, '-c', 'for n in range(60_000): print(f\"{n:999}\")'])",
}


@pytest.mark.slow
def test_a_kernel_does_not_keep_what_is_printed(tmp_path):
    """60 MB from a cell or test are not kept by a kernel, on each way, and the ends are in the saved notebook."""
    shell = Shell(tmp_path)
    for name, write in WRITES.items():
        shell.write(
            f"{name}.ipynb", PEAK, write, f"def test_a():\n    {write}\n", "%load_ext nbxunit",
            "def test_b():\n    assert peak() - before < 30",
        )  # fmt: skip
    done = shell.run("--save", "saved", "-n", "2")
    assert done.counts == {"passed": 6}, done.output
    for name in WRITES:
        cell = nbformat.read(tmp_path / f"saved/{name}.ipynb", 4).cells[1]
        text = "".join(each.text for each in cell.outputs if each.output_type == "stream")
        assert text.split()[0] == "0"
        assert text.split()[-1] in ("59999", "599")
        assert "characters left out by nbxunit" in text
        assert len(text) < 1_000_000 + 2 * STREAM_TAIL
