"""The output of tests as it comes over IOPub, kept in order with their events.

Runs on the event loop of `local`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nbxunit.host import tasks
from nbxunit.host.kernels.client import output_messages
from nbxunit.host.records import Output
from nbxunit.host.running.control import GRACE

MARKER = "application/vnd.nbxunit.marker"
"""What the kernel displays between two frames of events, where output is shown as it comes."""


class LiveOutput:
    """Reads the output of the request that runs the tests, and tells it to `emit`, if that is given.

    `nonce` marks what is ours.
    """

    def __init__(self, client: Any, nonce: str, emit: Callable[[Output], None] | None) -> None:
        self._client = client
        self._nonce = nonce
        self._emit = emit
        self._markers: dict[str, asyncio.Event] = {}

    async def read(self, message_id: str) -> None:
        """Read the output of the request `message_id`, until this is cancelled."""
        async for message in output_messages(self._client):
            if message["parent_header"].get("msg_id") != message_id:
                continue
            content = message["content"]
            if message["msg_type"] == "display_data" and MARKER in content.get("data", {}):
                self._marker(str(content["data"][MARKER])).set()
            elif message["msg_type"] == "stream" and self._emit is not None:
                self._emit(Output(content["name"], content["text"]))

    def _marker(self, text: str) -> asyncio.Event:
        return self._markers.setdefault(text, asyncio.Event())

    async def drained(self, number: int) -> None:
        """Wait until the output that came before the frame `number` has been told."""
        text = f"{self._nonce} {number}"
        async with tasks.running(self._marker(text).wait()) as (marker,):
            # IOPub loses messages, and it can be among them.
            await tasks.first(marker, timeout=GRACE)
        self._markers.pop(text, None)
