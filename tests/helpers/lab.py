"""A real JupyterLab or Notebook 7 in a real Chromium, driven by its own commands."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-color-profile=srgb",
]  # fmt: skip
SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "apputils-extension/themes": '{"theme": "JupyterLab Light", "adaptive-theme": true}',
    # The default, full, takes cells that are out of sight out of the page.
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "docmanager-extension/plugin": '{"autosave": false}',
}
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
LIMIT = 60
"""Seconds that anything may take."""


def chromium() -> str | None:
    """The browser that is installed, if one is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclasses.dataclass(frozen=True)
class Server:
    """A server: `root` is its folder, `path` how it names a notebook in a URL."""

    root: Path
    base: str
    token: str
    path: str

    def write(self, name: str, cells: Mapping[str, str]) -> None:
        """Write a notebook with these cells, by their ids."""
        made = [nbformat.v4.new_code_cell(source, id=key) for key, source in cells.items()]
        notebook = nbformat.v4.new_notebook(cells=made, metadata=METADATA)
        nbformat.write(notebook, self.root / name)

    def url(self, name: str) -> str:
        """Where the notebook is opened."""
        return f"{self.base}/{self.path}/{name}?token={self.token}"


@contextlib.contextmanager
def served(root: Path, module: str = "jupyterlab") -> Iterator[Server]:
    """A server in `root` with settings of its own."""
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lab-home-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        for plugin, text in SETTINGS.items():
            file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        environment = {
            **{name: value for name, value in os.environ.items() if "PYTEST" not in name},
            "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "run"), "IPYTHONDIR": str(home / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        }  # fmt: skip
        words = [
            sys.executable, "-m", module, "--no-browser", "--allow-root",
            f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
            "--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ]  # fmt: skip
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=root
            )
            base = f"http://127.0.0.1:{port}"
            try:
                _wait_for(process, f"{base}/api/status?token={token}", home / "server.log")
                path = "doc/tree" if module == "jupyterlab" else "notebooks"
                yield Server(root, base, token, path)
            finally:
                process.terminate()
                process.wait(30)


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(log.read_text())


class Lab:
    """A page with one open notebook."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page = page
        self.server = server

    def open(self, name: str, *, kernel: bool = True) -> None:
        """Open the notebook and wait for its kernel."""
        self.page.goto(self.server.url(name) + "&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        if kernel:
            self.wait_kernel()

    def wait_kernel(self) -> None:
        """Wait until a kernel is connected and idle; the indicator says so before there is one."""
        self.page.wait_for_function(
            """() => {
                const widget = window.jupyterapp?.shell.currentWidget;
                const kernel = widget?.sessionContext?.session?.kernel;
                return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
            }"""
        )

    def wait_busy(self) -> None:
        """Wait until the kernel runs something."""
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
        )

    def command(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, wait: bool = True
    ) -> Any:
        """Run a command of the front end; cells that it runs are done when it returns."""
        return self.page.evaluate(
            """([name, args, wait, limit]) => {
                const done = window.jupyterapp.commands.execute(name, args).then(() => null);
                const late = new Promise((_, no) => setTimeout(() => no(new Error(name + ' takes too long')), limit));
                return wait ? Promise.race([done, late]) : null;
            }""",
            [name, arguments or {}, wait, LIMIT * 1000],
        )

    def cell(self, index: int) -> Any:
        """The cell at this place."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def count(self) -> int:
        """How many cells there are."""
        return int(self.page.locator(".jp-Notebook .jp-Cell").count())

    def output(self, index: int) -> str:
        """The text that is seen below a cell."""
        return "\n".join(self.cell(index).locator(".jp-OutputArea-output").all_inner_texts())

    def select(self, index: int) -> None:
        """Make the cell the active one."""
        self.page.evaluate(
            """index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.mode = 'command';
                notebook.deselectAll();
            }""",
            index,
        )

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell."""
        self.select(index)
        self.command("notebook:run-cell", wait=wait)
        if wait:
            self.wait_kernel()
            self.page.wait_for_timeout(100)  # behind a cell that failed, a kernel drops what comes

    def run_all(self, *, wait: bool = True) -> None:
        """Run all cells."""
        self.command("notebook:run-all-cells", wait=wait)
        if wait:
            self.wait_kernel()

    def edit(self, index: int, source: str) -> None:
        """Give a cell another text, as if it was typed."""
        self.page.evaluate(
            """([index, source]) => {
                const cells = window.jupyterapp.shell.currentWidget.content.widgets;
                cells[index].model.sharedModel.setSource(source);
            }""",
            [index, source],
        )

    def split(self, index: int, line: int) -> None:
        """Split a cell above the line with this index."""
        self.select(index)
        self.page.evaluate(
            """([index, line]) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.mode = 'edit';
                notebook.widgets[index].editor.setCursorPosition({line: line, column: 0});
            }""",
            [index, line],
        )
        self.command("notebook:split-cell-at-cursor")

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")

    def delete(self, index: int) -> None:
        """Delete a cell."""
        self.select(index)
        self.command("notebook:delete-cell")

    def waits_for(self, holds: Callable[[], object]) -> None:
        """Wait until something holds. AssertionError if it takes too long."""
        end = time.monotonic() + LIMIT
        while not holds():
            assert time.monotonic() < end, "it took too long"
            self.page.wait_for_timeout(50)

    def sees(self, index: int, *parts: str, without: str | None = None) -> None:
        """Wait until the output of a cell has all `parts`, blanks as one, and lacks `without`."""
        end = time.monotonic() + LIMIT
        while True:
            seen = " ".join(self.output(index).split())
            missing = [part for part in parts if part not in seen]
            if not missing and (without is None or without not in seen):
                return
            assert time.monotonic() < end, f"{missing or without!r} in the output: {seen!r}"
            self.page.wait_for_timeout(50)

    def answers(self, index: int, text: str) -> None:
        """Wait for a prompt below a cell, and answer it."""
        box = self.cell(index).locator("input.jp-Stdin-input").last
        box.wait_for()
        box.fill(text)
        box.press("Enter")
        # The box goes away, and may come again for the next question.
        self.page.wait_for_timeout(300)

    def breaks_at(self, index: int, line: int) -> None:
        """Set a breakpoint at a line of a cell, by a click beside it."""
        cell = self.cell(index)
        box = cell.locator(".cm-line").nth(line - 1).bounding_box()
        gutter = cell.locator(".cm-gutter.cm-breakpoint-gutter").bounding_box()
        assert box is not None
        assert gutter is not None
        self.page.mouse.click(gutter["x"] + gutter["width"] / 2, box["y"] + box["height"] / 2)
        # The first that the page has is a hidden one, which gives the column its width.
        cell.locator(".cm-breakpoint-icon").nth(1).wait_for()
