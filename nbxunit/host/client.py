"""What a host says to a kernel: execute requests, and the code in them that calls the kernel's side.

jupyter_client, whose client this is, is imported when the first kernel is started.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def client_class() -> type[Any]:
    """The class of the clients, made when the first kernel is started."""
    from jupyter_client.asynchronous.client import AsyncKernelClient

    class CellClient(AsyncKernelClient):
        """A client that can say which cell it executes, as JupyterLab does: in the metadata."""

        def execute(  # type: ignore[override]
            self,
            code: str,
            *,
            silent: bool = False,
            allow_stdin: bool = False,
            stop_on_error: bool = True,
            metadata: Mapping[str, object] | None = None,
            user_expressions: Mapping[str, str] | None = None,
        ) -> str:
            content = {
                "code": code, "silent": silent, "store_history": not silent,
                "user_expressions": user_expressions or {}, "allow_stdin": allow_stdin, "stop_on_error": stop_on_error,
            }  # fmt: skip
            message = self.session.msg("execute_request", content, metadata=metadata)
            self.shell_channel.send(message)
            return str(message["header"]["msg_id"])

    return CellClient


async def request(client: Any, code: str) -> dict[str, Any]:
    """The content of the reply to a silent execute request."""
    return await reply_to(client, client.execute(code, silent=True, allow_stdin=False))


async def reply_to(client: Any, message_id: str) -> dict[str, Any]:
    """The content of the reply to the execute request with this id."""
    while True:
        message = await client.shell_channel.get_msg(timeout=None)
        if message["parent_header"].get("msg_id") == message_id:
            content: dict[str, Any] = message["content"]
            return content


def call(function: str, order: object) -> str:
    """The code that calls a function of the kernel's side, and leaves no name behind."""
    module = "__import__('nbxunit.kernel.headless', fromlist=['run'])"
    awaiting = "await " if function == "run" else ""
    return f"{awaiting}{module}.{function}({json.dumps(order)!r})"
