"""A real kernel for tests: requests with the metadata that a front end sends, outputs as text."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import warm_kernels
from jupyter_client.blocking.client import BlockingKernelClient

TIMEOUT = 60
OUTPUTS = ("stream", "display_data", "update_display_data", "execute_result", "error")


def _bundle(message: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = message["content"].get("data", {})
    return data


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came of a cell: `text` of all its outputs, the name of its `error`, the messages."""

    text: str
    error: str
    messages: tuple[dict[str, Any], ...] = ()

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The messages that put something below the cell."""
        return [each for each in self.messages if each["msg_type"] in OUTPUTS]

    @property
    def html(self) -> str:
        """The HTML that stands below the cell in the end."""
        return "\n".join(_bundle(each).get("text/html", "") for each in self.standing)

    @property
    def texts(self) -> list[str]:
        """The text that stands below the cell in the end, where there is no HTML."""
        return [_bundle(each)["text/plain"] for each in self.standing if _bundle(each)]

    @property
    def standing(self) -> list[dict[str, Any]]:
        """The outputs that stand in the end, without the states that an update has replaced."""
        shown: dict[object, dict[str, Any]] = {}
        for index, each in enumerate(self.outputs):
            shown[each["content"].get("transient", {}).get("display_id", index)] = each
        return list(shown.values())


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
        metadata: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Execute `code` as the cell with this id; `deleted` are the cells deleted before it.

        `answers` are what a person types when it asks for input, which it may only with some.
        `metadata` are what another front end than JupyterLab sends with the request.
        """
        if metadata is None:
            metadata = {"cellId": cell, "deletedCells": [*deleted]} if cell else {}
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            # Behind a cell that failed, a kernel would drop what comes too soon.
            "allow_stdin": bool(answers), "stop_on_error": False,
        }  # fmt: skip
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        for answer in answers:
            self._client.get_stdin_msg(timeout=TIMEOUT)
            self._client.input(answer)
        messages = tuple(self._outputs(message["header"]["msg_id"]))
        texts = [text for each in messages for text in _texts(each["content"])]
        while True:
            reply = self._client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return Reply("\n".join(texts), reply["content"].get("ename", ""), messages)

    def complete(self, text: str) -> list[str]:
        """What Tab offers at the end of `text`, as far as it would be new text there."""
        content = self._client.complete(text, reply=True, timeout=TIMEOUT)["content"]
        return [str(match) for match in content["matches"]]

    def debug(self, command: str, **arguments: Any) -> dict[str, Any]:
        """What the kernel's debugger answers to a request of the Debug Adapter Protocol."""
        content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
        message = self._client.session.msg("debug_request", content)
        self._client.control_channel.send(message)
        reply = self._client.get_control_msg(timeout=TIMEOUT)
        while reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            reply = self._client.get_control_msg(timeout=TIMEOUT)
        body: dict[str, Any] = reply["content"].get("body") or {}
        return body

    def stops_at(self, code: str, cell: str) -> dict[str, Any]:
        """The frame in which a breakpoint stops when `code` is executed, which then goes on."""
        content = {"code": code, "silent": False, "stop_on_error": False, "allow_stdin": False}
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell})
        self._client.shell_channel.send(message)
        thread = None
        while thread is None:
            event = self._client.get_iopub_msg(timeout=TIMEOUT)
            if event["msg_type"] == "debug_event" and event["content"]["event"] == "stopped":
                thread = event["content"]["body"]["threadId"]
        frame: dict[str, Any] = self.debug("stackTrace", threadId=thread)["stackFrames"][0]
        self.debug("continue", threadId=thread)
        tuple(self._outputs(message["header"]["msg_id"]))
        self._client.get_shell_msg(timeout=TIMEOUT)
        return frame

    def shutdown(self) -> None:
        """Ask the kernel to end, as a front end does before it restarts one."""
        self._client.shutdown()

    def _outputs(self, msg_id: str) -> Iterator[dict[str, Any]]:
        while True:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            if message["content"].get("execution_state") == "idle":
                return
            yield message


def _texts(content: dict[str, Any]) -> Iterator[str]:
    yield content.get("text") or content.get("data", {}).get("text/plain") or ""
    yield "\n".join(content.get("traceback", ()))


@contextlib.contextmanager
def started(folder: Path, *, loaded: bool = True) -> Iterator[LiveKernel]:
    """A kernel in `folder`, with the extension `loaded`, whose test cells register only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with warm_kernels.started(folder, kept) as (_, client):
        kernel = LiveKernel(client)
        if loaded:
            kernel.run("%load_ext nbxunit\n%xunit_config run_cells=False")
        yield kernel
