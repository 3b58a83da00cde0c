"""Outputs compared as a person would compare them: pure functions on cells."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbxunit.host.comparing import markers, sanitise, update
from nbxunit.host.comparing.compare import compare
from nbxunit.kernel.results import fragments


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def result(text, **data):
    forms = {
        "text/plain": text,
        **{name.replace("_", "/", 1): value for name, value in data.items()},
    }
    return {"output_type": "execute_result", "execution_count": 1, "data": forms, "metadata": {}}


def error(name, text):
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": ["a", "b"]}


def image(shade: int, size: tuple[int, int] = (40, 40), spot: int = 0) -> str:
    image_module = pytest.importorskip("PIL.Image")
    made = image_module.new("RGB", size, (shade, shade, shade))
    for x in range(spot):
        for y in range(spot):
            made.putpixel((x, y), (255, 0, 0))
    file = io.BytesIO()
    made.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


SAME = {
    "what nbxunit shows inline": ([result("registered", text_html=fragments.frame("<p>"))], []),
    "streams in pieces": ([stream("a\n"), stream("b\n")], [stream("a\nb\n")]),
    "streams in another order": (
        [stream("a"), stream("e", "stderr"), stream("b")],
        [stream("ab"), stream("e", "stderr")],
    ),
    "a list of lines": ([stream(["a\n", "b"])], [stream("a\nb")]),
    "addresses": ([result("<object at 0x7f3a2c10>")], [result("<object at 0x7fe0aa00b0>")]),
    "temporary folders": ([stream("/tmp/abc123/x.csv")], [stream("/tmp/tmp_9z/y.csv")]),
    "%time": (
        [stream("CPU times: user 1 s\nWall time: 1.2 s\n")],
        [stream("CPU times: user 3 ms, sys: 1 ms\nWall time: 5 ms\n")],
    ),
    "%timeit": (
        [stream("12.3 ns ± 0.2 ns per loop (mean ± std. dev. of 7 runs, 10,000 loops each)")],
        [stream("1.3 μs ± 55 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)")],
    ),
    "%timeit in minutes": (
        [stream("1min 2s ± 1 s per loop (mean ± std. dev. of 7 runs, 1 loop each)")],
        [stream("2 s ± 12 ms per loop (mean ± std. dev. of 7 runs, 1 loop each)")],
    ),
    "a progress bar": (
        [stream("\r  0%|    | 0/9\r100%|####| 9/9 [00:01<00:00, 5.1it/s]\n", "stderr")],
        [stream("100%|####| 9/9 [00:00<00:00, 99.1it/s]\n", "stderr")],
    ),
    "a warning's path": (
        [stream("/home/a/x.py:3: UserWarning: old\n  f()")],
        [stream("/tmp/ipykernel_7/12.py:9: UserWarning: old\n  f()")],
    ),
    "a warning": ([stream("/home/a/x.py:3: UserWarning: old\n  f()\n", "stderr")], []),
    "warnings of several lines": (
        [stream("C:\\a\\x.py:3: FutureWarning: old\nSee the docs.\n\n  f()\n<string>:1: W4Warning: a\nb\n", "stderr")],
        [stream("b\n", "stderr")],
    ),
    "counts and metadata": (
        [{**result("1"), "execution_count": 7, "metadata": {"a": 1, "b": 2}}],
        [result("1")],
    ),
    "a frame's markup": (
        [result("  a\n0 1", text_html="<table border=1><td>1</td></table>")],
        [result("  a\n0 1", text_html="<div><table class='dataframe'></table></div>")],
    ),
    "a styled frame's ids": (
        [result("x", text_html='<style>#T_0a1b2_row0 {}</style><i id="T_0a1b2">')],
        [result("x", text_html='<style>#T_99fff_row0 {}</style><i id="T_99fff">')],
    ),
    "ids of SVG": (
        [result("x", **{"image_svg+xml": '<g id="p1"><a clip-path="url(#p1)"/></g>'})],
        [result("x", **{"image_svg+xml": '<g id="q9"><a clip-path="url(#q9)"/></g>'})],
    ),
    "widgets": (
        [{"output_type": "display_data", "metadata": {}, "data": {
            "text/plain": "IntSlider(value=0)", "application/vnd.jupyter.widget-view+json": {"model_id": "a"}}}],
        [],
    ),
    "JavaScript": ([], [result("<JS>", application_javascript="alert(1)")]),
    "the traceback of an error": (
        [error("ValueError", "no")], [{**error("ValueError", "no"), "traceback": []}],
    ),
}  # fmt: skip

DIFFERENT = {
    "text": ([stream("a")], [stream("b")], "stdout differs"),
    "a result": ([result("1")], [result("2")], "text/plain differs"),
    "a missing output": ([result("1")], [], "text/plain is stored, and did not come"),
    "another output": ([], [stream("x", "stderr")], "stderr is new"),
    "what stands behind a warning": (
        [stream("/a/x.py:3: UserWarning: old\n  f()\nlost\n", "stderr")], [], "stderr is stored, and did not come",
    ),
    "another form": ([result("1")], [result("1", text_html="<b>1</b>")], "text/html is new"),
    "HTML that is no table": (
        [result("x", text_html="<b>1</b>")], [result("x", text_html="<b>2</b>")], "text/html differs",
    ),
    "JSON": (
        [result("x", application_json={"a": 1})], [result("x", application_json={"a": 2})],
        "application/json differs",
    ),
    "another error": (
        [error("ValueError", "no")], [error("TypeError", "no")], "the name of the error differs",
    ),
    "the text of an error": (
        [error("ValueError", "no")], [error("ValueError", "yes")], "the text of the error differs",
    ),
    "no error": ([error("ValueError", "no")], [stream("a")], "the error ValueError is stored, stdout came"),
    "a number in hexadecimal": ([result("0xff")], [result("0xfe")], "text/plain differs"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_same(name):
    """What a person would take for the same has no difference, in either direction."""
    one, two = SAME[name]
    assert compare(one, two) is None
    assert compare(two, one) is None


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name):
    """What a person would see as different has a reason that says what it is."""
    stored, new, reason = DIFFERENT[name]
    found = compare(stored, new)
    assert found is not None
    assert any(reason in each for each in found.reasons), found.reasons


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ((10,), (12,), None),
        ((10,), (200,), "of the pixels differ"),
        ((10,), (10, (41, 40)), "40 by 40 pixels stored, 41 by 40 now"),
        ((10,), (10, (40, 40), 3), None),
        ((10,), (10, (40, 40), 20), "25.0% of the pixels differ"),
    ],
)
def test_images(one, two, told):
    """Images are compared by their pixels, with a tolerance for what a person does not see."""
    found = compare([result("x", image_png=image(*one))], [result("x", image_png=image(*two))])
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert told in found.reasons[0]
        assert len(found.images) == 1


def test_rules_of_an_ini():
    """A line of the ini is a regular expression and what stands in its place."""
    (rule,) = sanitise.rules_of_lines([r"build \d+ => build N"])
    assert compare([stream("build 7")], [stream("build 8")], [rule]) is None
    for bad in ("no arrow", "( => x"):
        with pytest.raises(sanitise.RuleError):
            sanitise.rules_of_lines([bad])


def test_rules_of_nbval(tmp_path):
    """A file of nbval's is taken as it is."""
    file = tmp_path / "rules.cfg"
    file.write_text("[dates]\nregex: \\d{1,2}/\\d{1,2}/\\d{2,4}\nreplace: DATE-STAMP\n")
    rules = list(sanitise.rules_of_file(file))
    assert compare([stream("on 1/2/2020")], [stream("on 11/12/99")], rules) is None
    with pytest.raises(sanitise.RuleError, match="cannot be read"):
        list(sanitise.rules_of_file(tmp_path / "no.cfg"))


def cell(source, *tags, outputs=None):
    outputs = [stream("x")] if outputs is None else outputs
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": list(outputs)}


@pytest.mark.parametrize(
    ("made", "compared"),
    [
        (cell("print('x')"), True),
        (cell("print('x')", outputs=()), False),
        (cell("%load_ext nbxunit"), False),
        (cell("%%xunit_test test_a\npass"), False),
        (cell("# xunit: setup module\nx = 1"), False),
        (cell("%xunit_run"), False),
        (cell("x", "nbval-ignore-output"), False),
        (cell("# NBVAL_IGNORE_OUTPUT\nx"), False),
        (cell("#PYTEST_VALIDATE_IGNORE_OUTPUT\nx"), False),
        (cell("x", "nbval-skip"), False),
        (cell("# NBVAL_SKIP\nx"), False),
        (cell("# NBVAL_CHECK_OUTPUT\nx"), True),
        (cell("1/0", "raises-exception"), True),
        ({"cell_type": "markdown", "source": "x", "metadata": {}}, False),
    ],
)
def test_which_cells(made, compared):
    """Code cells with stored outputs are compared, but for ours and those that nbval's words leave out."""
    assert markers.is_compared(made) is compared


def test_names():
    """A cell is named by the tag that no other has, else by its number among those that run."""
    cells = [
        cell("a", "load"), {"cell_type": "markdown", "source": "", "metadata": {}}, cell("  "),
        cell("b", "twice"), cell("c", "twice"), cell("d", "one", "two"), cell("e", "nbval-skip"),
        cell("f", "plot", "raises-exception"),
    ]  # fmt: skip
    found = [(number, name) for _, number, name in markers.names(cells)]
    assert found == [
        (1, "cell[load]"),
        (2, "cell[2]"),
        (3, "cell[3]"),
        (4, "cell[4]"),
        (5, "cell[plot]"),
    ]


texts = st.text(st.characters(codec="utf-8"), max_size=20)
made_cells = st.lists(
    st.fixed_dictionaries(
        {
            "outputs": st.lists(st.builds(stream, texts), max_size=2),
            "metadata": st.dictionaries(
                texts, st.one_of(texts, st.lists(texts, max_size=2)), max_size=2
            ),
            "source": st.lists(texts, max_size=2),
            "cell_type": st.just("code"),
        }
    ),
    min_size=1,
    max_size=4,
)


@given(made_cells, st.sampled_from([None, 1, 2, "\t"]), st.booleans(), st.booleans(), st.data())
def test_only_the_outputs_change(cells, indent, is_ascii, has_end, data):
    """Whatever the form of the file, what stands outside the changed outputs is the same to the byte."""
    before = {"cells": cells, "metadata": {"cells": [{"outputs": []}], "outputs": 1}, "nbformat": 4}
    text = json.dumps(before, indent=indent, ensure_ascii=is_ascii) + "\n" * has_end
    index = data.draw(st.integers(0, len(cells) - 1))
    changed = update.updated(text, {index: [stream("NEW\nTEXT")]})
    after = json.loads(changed)
    assert "".join(after["cells"][index]["outputs"][0]["text"]) == "NEW\nTEXT"
    after["cells"][index]["outputs"] = cells[index]["outputs"]
    assert after == before
    for each in range(len(cells)):
        if each != index:
            start, end = update._spans(text)[each]
            assert text[start:end] in changed
    assert changed.endswith("\n") is has_end


def test_the_diff_is_minimal(tmp_path: Path):
    """In a file as Jupyter saves it, one changed output changes its own lines and no other."""
    nbformat = pytest.importorskip("nbformat")
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    cells = [
        new_code_cell("x", outputs=[new_output("execute_result", {"text/plain": f"{n}\né"})])
        for n in range(3)
    ]
    path = tmp_path / "nb.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    before = path.read_text(encoding="utf-8")
    output = dict(cells[1].outputs[0])
    output["data"] = {"text/plain": "NEW\né"}
    after = update.updated(before, {1: [output]})
    lines = list(zip(before.splitlines(), after.splitlines(), strict=True))
    assert [(a.strip(), b.strip()) for a, b in lines if a != b] == [('"1\\n",', '"NEW\\n",')]
