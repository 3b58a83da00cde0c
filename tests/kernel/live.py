"""A real kernel for tests: requests with the metadata that a front end sends, outputs as text."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

TIMEOUT = 60


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came of a cell: `text` of all its outputs, and the name of its `error`."""

    text: str
    error: str


class LiveKernel:
    """Executes cells, one at a time."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(
        self,
        code: str,
        cell: str | None = None,
        deleted: Sequence[str] = (),
        answers: Sequence[str] = (),
    ) -> Reply:
        """Execute `code` as the cell with this id; `deleted` are the cells deleted before it.

        `answers` are what a person types when it asks for input, which it may only with some.
        """
        metadata = {"cellId": cell, "deletedCells": [*deleted]} if cell else {}
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": bool(answers), "stop_on_error": True,
        }  # fmt: skip
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        for answer in answers:
            self._client.get_stdin_msg(timeout=TIMEOUT)
            self._client.input(answer)
        texts = list(self._outputs(message["header"]["msg_id"]))
        while True:
            reply = self._client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return Reply("\n".join(texts), reply["content"].get("ename", ""))

    def _outputs(self, msg_id: str) -> Iterator[str]:
        while True:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            content = message["content"]
            if content.get("execution_state") == "idle":
                return
            yield content.get("text") or content.get("data", {}).get("text/plain") or ""
            yield "\n".join(content.get("traceback", ()))


@contextlib.contextmanager
def started(folder: Path) -> Iterator[LiveKernel]:
    """A kernel with the extension loaded, in `folder`."""
    manager = KernelManager(kernel_name="python3")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    manager.start_kernel(cwd=str(folder), env=kept)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT)
        kernel = LiveKernel(client)
        kernel.run("%load_ext nbxunit\n%xunit_config run_cells=False")
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
