"""What tests display is shown with them; what a run shows while it lasts is cheap and goes away."""

from __future__ import annotations

import re
import time

import pytest

TABLE = "from IPython.display import HTML, display\ndisplay(HTML('<table><tr><td>42</td></tr></table>'))"
MANY = "import pytest\n@pytest.mark.parametrize('n', range(1000))\ndef test_many(n): pass"


@pytest.fixture
def kernel(shared):
    shared.run("%reset -f\n%xunit_reset\n%xunit_config run_cells=True", "reset")
    return shared


def bundles(reply):
    return [each["content"]["data"] for each in reply.standing if "data" in each["content"]]


def test_folded_when_it_passed(kernel):
    """What a test displays stands in its result, folded."""
    reply = kernel.run(f"%%xunit_test test_a\n{TABLE}", "A")
    assert len(bundles(reply)) == 1
    assert re.search(r'<details class="cap"><summary[^>]*>1 display<.*<td>42</td>', reply.html)
    assert "displayed: <IPython.core.display.HTML object>" in reply.text


def test_open_when_it_failed(kernel):
    """What a failed test displayed is seen at once."""
    reply = kernel.run(f"%%xunit_test test_a\n{TABLE}\nassert 0", "A")
    assert re.search(r'<details class="cap" open><summary[^>]*>1 display<', reply.html)


def test_each_under_its_own_test(kernel):
    """In a run, each test has what it displayed."""
    kernel.run("from IPython.display import HTML, display", "imports")
    kernel.run(
        "def test_a(): display(HTML('<b>from a</b>'))\ndef test_b(): display(HTML('<b>from b</b>'))",
        "T",
    )
    html = kernel.run("%xunit_run", "R").html
    assert re.search(r"test_a.*from a.*test_b.*from b", html, re.DOTALL)


def test_with_s_it_goes_to_the_cell(kernel):
    """With `-s` prints and displays come in their order, above the result."""
    kernel.run(
        f"def test_a():\n    print('one')\n    {TABLE.replace(chr(10), chr(10) + '    ')}\n    print('two')",
        "T",
    )
    reply = kernel.run("%xunit_run -s", "R")
    shown = [
        each["content"].get("text") or each["content"]["data"].get("text/html", "")
        for each in reply.standing
    ]
    joined = "\n".join(shown)
    assert (
        joined.index("one") < joined.index("<td>42") < joined.index("two") < joined.index("passed")
    )


def test_an_update_in_a_test(kernel):
    """The last state of a display that a test updates is what its result has."""
    kernel.run(
        "%%xunit_test test_a\nfrom IPython.display import HTML, display\n"
        "handle = display(HTML('<b>first</b>'), display_id=True)\nhandle.update(HTML('<b>last</b>'))",
        "A",
    )
    html = kernel.run("%xunit_run", "R").html
    assert "<b>last</b>" in html
    assert "first" not in html


@pytest.mark.parametrize(
    "markup",
    [
        "<div><b>x</div>",
        "</details></div>y",
        "<script>1</script>",
        "<div/>x",
        "<iframe></iframe>",
        "<b",
        "<!-- x",
    ],
)
def test_html_that_does_not_close(kernel, markup):
    """HTML that would break the result's own is shown below it, as it is."""
    reply = kernel.run(
        f"%%xunit_test test_a\nfrom IPython.display import HTML, display\ndisplay(HTML({markup!r}))",
        "A",
    )
    first, *others = bundles(reply)
    assert markup not in first["text/html"]
    assert others[-1]["text/html"] == markup


def test_what_only_the_front_end_can_render(kernel):
    """Widgets, and data of other plots, come below the result with a line that says whose they are."""
    kernel.run("from IPython.display import display", "imports")
    kernel.run(
        "def test_a(): display({'application/vnd.x+json': {}, 'text/plain': 'plot'}, raw=True)", "T"
    )
    shown = bundles(kernel.run("%xunit_run", "R"))
    assert "test_a: displayed" in shown[-2]["text/plain"]
    assert shown[-1]["application/vnd.x+json"] == {}


@pytest.mark.parametrize("form", ["Markdown('# hi')", "Math('x^2')"])
def test_what_the_front_end_formats(kernel, form):
    """Markdown and formulas come below the result as they are, for the front end to format."""
    source = f"%%xunit_test test_a\nfrom IPython.display import *\ndisplay({form})"
    reply = kernel.run(source.replace("import *", "import Markdown, Math, display"), "A")
    shown = bundles(reply)
    assert "test_a: displayed" in shown[-2]["text/plain"]
    assert set(shown[-1]) & {"text/markdown", "text/latex"}


def test_the_size_of_an_image(kernel):
    """An image has the size that it was displayed with."""
    reply = kernel.run(
        "%%xunit_test test_a\nfrom IPython.display import Image, display\n"
        "display(Image(b'\\x89PNG', format='png', width=321))",
        "A",
    )
    assert re.search(r'<img src="data:image/png;base64,[^"]*" width="321">', reply.html)


def test_figures_are_shown_and_closed(kernel):
    """A figure that a test leaves open is shown with it and closed; a person's own stays open."""
    pytest.importorskip("matplotlib")
    kernel.run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.ioff()\nmine = plt.figure()",
        "plt",
    )
    kernel.run("plt.figure(mine.number)", "plt2")
    source = "%%xunit_test test_a\nplt.figure()\nplt.plot([1, 2])\nprint(len(plt.get_fignums()))"
    reply = kernel.run(source, "A")
    assert '<img src="data:image/png;base64,' in reply.html
    reply = kernel.run("print(plt.get_fignums())\nplt.close('all')", "look")
    assert reply.text.count(",") == 0


def test_a_thousand_tests(kernel):
    """Progress comes at most ten times a second; what is left of a run is under 100 kB."""
    kernel.run(MANY, "T")
    start = time.perf_counter()
    reply = kernel.run("%xunit_run", "R")
    seconds = time.perf_counter() - start
    assert len(reply.standing) == 1
    assert len(reply.outputs) <= 10 * seconds + 2
    (bundle,) = bundles(reply)
    assert "1000 passed" in bundle["text/html"]
    assert "1000 passed" in bundle["text/plain"]
    assert sum(map(len, bundle.values())) < 100_000


def test_a_thousand_failures(kernel):
    """A run in which everything fails is cut, and says how much there is."""
    kernel.run(MANY.replace("pass", "assert n < 0"), "T")
    reply = kernel.run("%xunit_run --tb=short", "R")
    (bundle,) = bundles(reply)
    assert "1000 failed" in bundle["text/html"]
    assert sum(map(len, bundle.values())) < 1_000_000


def test_without_cell_ids_there_is_no_progress(kernel):
    """A front end that sends no ids may not know updates: it gets the results only."""
    kernel.run("import time\ndef test_a(): time.sleep(0.8)\ndef test_b(): pass", "T")
    reply = kernel.run("%xunit_run")
    assert len(reply.outputs) == 1
    assert "2 passed" in reply.text


@pytest.mark.parametrize("option", ["--help", "--version", "-VV", "--markers", "--collect-only"])
def test_what_pytest_lists(kernel, option):
    """An option that asks pytest for a list shows that list, and the cell is well."""
    kernel.run("def test_a(): pass", "T")
    reply = kernel.run(f"%xunit_run {option}", "R")
    assert reply.error == ""
    says = {
        "--help": "--maxfail",
        "--version": f", pytest {pytest.__version__}",
        "-VV": "This is pytest",
        "--markers": "@pytest.mark",
        "--collect-only": "test_a",
    }
    assert says[option] in reply.text
    assert "1 passed" not in reply.text


COUNT = """
import cProfile, io, pstats
from nbxunit.kernel import extension
from nbxunit.kernel.inline import actions
from nbxunit.kernel.run import engine
from nbxunit.kernel.run.restoring import restored
def calls_of(function):
    with cProfile.Profile() as profile:
        function()
    return pstats.Stats(profile, stream=io.StringIO()).total_calls
def shown():
    action = actions.running(live, [])
    action.conclude(action.work())
def bare():
    with restored():
        engine.finish(engine.prepare(live.notebook, live.run, []), [])
live = extension.load(get_ipython())
shown()
print("calls:", calls_of(bare), calls_of(shown))
"""


def test_what_the_display_costs(kernel):
    """Of a run's calls, a number that no other load changes, the display makes less than a tenth."""
    kernel.run(MANY, "T")
    told = re.search(r"calls: (\d+) (\d+)", kernel.run(COUNT).text)
    assert told
    assert int(told[1]) < int(told[2]) < 1.1 * int(told[1])
