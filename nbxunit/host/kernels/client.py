"""What a host says to a kernel: execute requests, and the code in them that calls the kernel's side.

jupyter_client, whose client this is, is imported when the first kernel is started.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from nbxunit import protocol

IN_A_ROW = 20
"""Messages of output that are read before all else has its turn."""


def client_class() -> type[Any]:
    """The class of the clients, made when the first kernel is started."""
    from jupyter_client.asynchronous.client import AsyncKernelClient

    class CellClient(AsyncKernelClient):
        """A client that can have many cells executed by one request."""

        def execute_cells(self, cells: Sequence[tuple[str | None, str, bool]]) -> str:
            """Send a request of the type `protocol.EXECUTE`; its id."""
            return self._send(protocol.EXECUTE, {"cells": cells})

        def execute_silently(self, code: str, *, allow_stdin: bool = False) -> str:
            """Send an execute request; its id."""
            content = {
                "code": code, "silent": True, "store_history": False, "user_expressions": {},
                "allow_stdin": allow_stdin, "stop_on_error": True,
            }  # fmt: skip
            return self._send("execute_request", content)

        def _send(self, kind: str, content: Mapping[str, object]) -> str:
            message = self.session.msg(kind, content)
            self.shell_channel.send(message)
            return str(message["header"]["msg_id"])

    return CellClient


async def output_messages(client: Any) -> AsyncIterator[dict[str, Any]]:
    """The messages of output as they come.

    Those that are there already are read without a turn for anything else, so that a kernel that
    prints faster than a host can read would keep all others waiting, and the watch over its time.
    """
    for count in itertools.count(1):
        yield await client.iopub_channel.get_msg(timeout=None)
        if count % IN_A_ROW == 0:
            await asyncio.sleep(0)


async def request(client: Any, code: str) -> dict[str, Any]:
    """The content of the reply to a silent execute request."""
    return await reply_to(client, client.execute_silently(code))


async def reply_to(client: Any, message_id: str) -> dict[str, Any]:
    """The content of the reply to the execute request with this id."""
    while True:
        message = await client.shell_channel.get_msg(timeout=None)
        if message["parent_header"].get("msg_id") == message_id:
            content: dict[str, Any] = message["content"]
            return content


def call(function: str, order: object) -> str:
    """The code that calls a function of the kernel's side, and leaves no name behind."""
    module = "__import__('nbxunit.kernel.headless.orders', fromlist=['run'])"
    awaiting = "await " if function == "run" else ""
    return f"{awaiting}{module}.{function}({json.dumps(order)!r})"
