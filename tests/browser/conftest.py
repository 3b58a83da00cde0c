"""Servers, browsers and pages for the tests on a real JupyterLab and Notebook 7."""

from __future__ import annotations

import os
from pathlib import Path

import lab
import pytest

SCREENSHOTS = os.environ.get("NBXUNIT_SCREENSHOTS", "")
"""A folder that takes the screenshots; without one they stay in pytest's temporary folder."""


def pytest_collection_modifyitems(items):
    """Without a browser they are skipped."""
    missing = "" if lab.chromium() else "Chromium is not installed"
    for module in ("jupyterlab", "notebook", "playwright"):
        try:
            __import__(module)
        except ImportError:
            missing = f"{module} is not installed: pip install 'nbxunit[browser]'"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(180))
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A JupyterLab."""
    with lab.served(tmp_path_factory.mktemp("notebooks")) as running:
        yield running


@pytest.fixture(scope="session")
def notebook_server(tmp_path_factory):
    """A Notebook 7."""
    with lab.served(tmp_path_factory.mktemp("notebooks"), "notebook") as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    """A Chromium; meanwhile Playwright runs an event loop, and no other test could run its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=lab.chromium(), args=lab.FLAGS)
        yield running
        running.close()


@pytest.fixture
def page_of(browser):
    """Makes pages, light or dark, and closes them."""
    pages = []

    def make(*, dark=False, width=1280, height=1100):
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(lab.LIMIT * 1000)
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    """The folder for screenshots."""
    folder = Path(SCREENSHOTS) if SCREENSHOTS else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
