"""VS Code's Test Explorer without VS Code: its real pytest plugin, driven through its pipes as the editor does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def plugin_folder() -> Path | None:
    """The folder `python_files` of the extension: NBXUNIT_VSCODE names it, or the editor has installed it."""
    named = os.environ.get("NBXUNIT_VSCODE")
    installed = Path.home().glob(".vscode*/extensions/ms-python.python-*/python_files")
    folders = [Path(named)] if named else sorted(installed)
    return next((each for each in reversed(folders) if (each / "vscode_pytest").is_dir()), None)


class Explorer:
    """The Test Explorer of the folder that it is opened in."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.folder = folder
        self._files = plugin_folder()
        self._temporary = temporary
        self._words = ["--nbxunit", f"--rootdir={folder}"]

    def discover(self) -> tuple[dict[str, Any], list[str]]:
        """The tree of tests, and the errors of finding them."""
        command = [sys.executable, "-m", "pytest", "-p", "vscode_pytest", "--collect-only"]
        messages = self._messages([*command, *self._words, "."], {})
        return messages[-1]["tests"], messages[-1]["error"]

    def run(
        self, *nodeids: str, words: tuple[str, ...] = (), **env: str
    ) -> dict[str, dict[str, Any]]:
        """Run tests; what is shown at each, by its node id below the folder."""
        shown: dict[str, dict[str, Any]] = {}
        for message in self.messages(*nodeids, words=words, **env):
            for nodeid, outcome in (message["result"] or {}).items():
                name = Path(nodeid).relative_to(self.folder).as_posix()
                assert name not in shown, f"two messages for {name}"
                shown[name] = outcome
        return shown

    def messages(
        self, *nodeids: str, words: tuple[str, ...] = (), **env: str
    ) -> list[dict[str, Any]]:
        """Run tests; the messages that the editor gets."""
        assert self._files is not None
        ids = self._temporary / "ids"
        ids.write_text("\n".join(str(self.folder / nodeid) for nodeid in nodeids))
        script = str(self._files / "vscode_pytest/run_pytest_script.py")
        command = [sys.executable, script, *self._words, *words]
        return self._messages(command, {"RUN_TEST_IDS_PIPE": str(ids), **env})

    def _messages(self, command: list[str], env: dict[str, str]) -> list[dict[str, Any]]:
        pipe = self._temporary / "pipe"
        os.mkfifo(pipe)
        read: list[bytes] = []
        reading = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
        reading.start()
        env = {**os.environ, "PYTHONPATH": str(self._files), "TEST_RUN_PIPE": str(pipe), **env}
        subprocess.run(
            command, cwd=self.folder, env=env, check=False, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if reading.is_alive():  # nobody has written
            pipe.open("wb").close()
        reading.join()
        pipe.unlink()
        return list(_decoded(read[0]))


def _decoded(data: bytes) -> Iterator[dict[str, Any]]:
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        yield json.loads(data[:length])["params"]
        data = data[length:]
