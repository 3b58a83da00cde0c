"""How results look: every form of the gallery in light, dark and untrusted."""

from __future__ import annotations

import shutil

import gallery
import lab
import pytest

IDS = list(gallery.CELLS)
EXPECTED = {
    "module-setup": ["module setup", "registered"],
    "pass": ["✓ test_connects", "passed"],
    "fail": [
        "✗ TestAccount::test_withdraw",
        "failed",
        "assert 70 == 80",
        "Cell [",
        "line 4",
        "▸",
        "opening account",
        "hooks: module setup",
    ],
    "error": [
        "! TestRemote::test_get",
        "error in class setup",
        "test not run",
        "Connection refused",
    ],
    "teardown-error": ["! test_leftovers", "error in teardown", "ZeroDivisionError"],
    "skip": ["- test_windows", "skipped", "needs <b>Windows</b> & $5, $6"],
    "xfail": ["x test_money", "xfailed"],
    "display": ["✓ test_chart", "1 display"],
    "run": [
        "1 failed · 3 errors · 1 skipped · 1 xfailed · 8 passed",
        "· 13 tests",
        "class setup failed · 2 tests not run",
        "8 passed ·",
    ],
    "list": ["class TestAccount", "test_deposit", "passed", "class setup ["],
    "none": ["13 deselected", "no tests ran"],
    "broken": ["! the notebook could not be collected", "no class TestNowhere"],
    "frame-table": ["2 of 9 values differ:", "row column left right", "1 customer 'Bob' 'Bo'"],
}
"""What is seen below a cell, with blanks as one."""

CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = text => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
    };
    const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat(1);
    const background = element => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return .2126 * x + .7152 * y + .0722 * z;
    };
    const found = [];
    for (const root of document.querySelectorAll('.jp-OutputArea-output .nbx')) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || element.closest('style, .out')) continue;
            const below = background(element), above = over(rgba(getComputedStyle(element).color), below);
            const [a, b] = [light(above), light(below)].sort((x, y) => y - x);
            found.push([(a + .05) / (b + .05), walker.currentNode.data.trim()]);
        }
    }
    return found;
}"""
OVERFLOW = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText.slice(0, 80))"""


@pytest.fixture(scope="module")
def executed(server, browser):
    """The gallery as a person's "Run all" leaves it, saved."""
    server.write("gallery.ipynb", gallery.CELLS)
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.set_default_timeout(lab.LIMIT * 1000)
    opened = lab.Lab(page, server)
    opened.open("gallery.ipynb")
    opened.run_all()
    opened.save()
    page.close()
    return "gallery.ipynb"


def look(opened, screenshots, name):
    """Check what is seen, and keep a picture of it."""
    wrong = []
    for key, parts in EXPECTED.items():
        seen = " ".join(opened.output(IDS.index(key)).split())
        wrong += [f"{key}: {part!r} is not in {seen!r}" for part in parts if part not in seen]
    height = opened.page.evaluate(
        "() => [...document.querySelectorAll('.jp-Cell')].reduce((sum, cell) => sum + cell.offsetHeight, 0)"
    )
    opened.page.set_viewport_size({"width": 1280, "height": int(height) + 200})
    opened.page.screenshot(path=screenshots / f"{name}.png")
    assert wrong == []
    assert opened.page.evaluate(OVERFLOW) == []


def trust(opened):
    """Let the front end trust the notebook."""
    opened.command("notebook:trust", wait=False)
    dialog = opened.page.locator(".jp-Dialog-button.jp-mod-warn, .jp-Dialog-button.jp-mod-accept")
    if dialog.count():
        dialog.last.click()


def check_contrast(opened):
    """Check that all text has a contrast of 4.5 or more."""
    poor = [
        (round(ratio, 2), text) for ratio, text in opened.page.evaluate(CONTRAST) if ratio < 4.5
    ]
    assert poor == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_trusted(executed, server, page_of, screenshots, theme):
    """In both themes the text is there, fits, and has a contrast of 4.5 or more."""
    opened = lab.Lab(page_of(dark=theme == "dark"), server)
    opened.open(executed)
    trust(opened)
    assert (opened.page.evaluate("() => document.body.dataset.jpThemeLight") == "true") == (
        theme == "light"
    )
    look(opened, screenshots, theme)
    check_contrast(opened)


def test_notebook_7(executed, server, notebook_server, page_of, screenshots):
    """In Notebook 7 it is the same."""
    shutil.copy(server.root / executed, notebook_server.root)
    opened = lab.Lab(page_of(), notebook_server)
    opened.open(executed)
    trust(opened)
    opened.page.wait_for_selector(".jp-OutputArea-output style", state="attached")
    look(opened, screenshots, "notebook-7")
    check_contrast(opened)


def test_untrusted(executed, server, page_of, screenshots):
    """A notebook that JupyterLab does not trust says the same, without style."""
    text = (server.root / executed).read_text()
    (server.root / "foreign.ipynb").write_text(
        text.replace("%load_ext nbxunit", "%load_ext  nbxunit", 1)
    )
    opened = lab.Lab(page_of(), server)
    opened.open("foreign.ipynb")
    assert opened.page.locator(".jp-OutputArea-output style").count() == 0
    look(opened, screenshots, "untrusted")


@pytest.mark.parametrize("width", [700])
def test_narrow(executed, server, page_of, screenshots, width):
    """In a narrow window lines wrap; nothing is cut."""
    opened = lab.Lab(page_of(width=width), server)
    opened.open(executed)
    opened.page.screenshot(path=screenshots / "narrow.png")
    assert opened.page.evaluate(OVERFLOW) == []


FAILING = {
    "load": "%load_ext nbxunit",
    "orders": """\
import pandas as pd

orders = pd.DataFrame({"order": [1, 2, 3], "amount": [9.5, None, 3.0]})


def clean(orders):
    return orders.dropna()""",
    "failing": """\
%%xunit_test test_clean
cleaned = clean(orders)
expected = orders.fillna(0.0)
assert cleaned.equals(expected)""",
}


def test_a_failing_cell(server, page_of, screenshots):
    """The picture of a failing cell in the README is what JupyterLab shows; it fits, and is small."""
    server.write("failing.ipynb", FAILING)
    opened = lab.Lab(page_of(width=1000, height=900), server)
    opened.open("failing.ipynb")
    opened.run_all()
    index = list(FAILING).index("failing")
    opened.sees(index, "✗ test_clean", "shape: (2, 2) on the left, (3, 2) on the right")
    opened.page.add_style_tag(content=".jp-Toolbar, .jp-cell-toolbar {visibility: hidden}")
    opened.page.mouse.move(0, 0)
    picture = opened.cell(index).screenshot(path=screenshots / "failing-cell.png")
    assert len(picture) < 60_000
