"""What a headless kernel sends of a notebook's output, bounded message by message.

Imports the standard library, the protocol and compat. ipykernel makes one message of whatever a cell prints at
once, which a host would have to read whole; what comes in many messages is bounded by the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbxunit import limits, originals, protocol
from nbxunit.kernel.compat import written

INTERVAL = 0.1
"""Seconds between two updates of one output that are sent; a headless run shows the last one only."""

DISPLAY_LIMIT = 10_000_000
"""Bytes of one output, such as an image in base64, that are sent; of a longer one only a mark."""
TEXT_LIMIT = 100_000
"""Bytes that are sent of an exception's message, or of one part of its traceback."""
TRACEBACK_LIMIT = 100
"""Parts of a traceback that are sent, from its end."""


def bound(session: Any) -> None:
    """Let what is sent with this session of a kernel be bounded.

    ipykernel's own hooks are for single threads, and for some kinds of messages.
    """
    send = session.send
    widgets: set[str] = set()

    def send_bounded(
        stream: Any, message: Any, content: Any = None, *args: Any, **more: Any
    ) -> Any:
        kind = str(message["msg_type"] if isinstance(message, dict) else message)
        told = message["content"] if isinstance(message, dict) else content
        if kind.startswith("comm_") and not _is_of_output_widget(told, widgets):
            return None  # a host is no front end, and they would crowd out what is printed
        if isinstance(message, dict):
            message = {**message, "content": bounded(kind, message["content"])}
        elif content is not None:
            content = bounded(kind, content)
        return send(stream, message, content, *args, **more)

    session.send = send_bounded


def _is_of_output_widget(content: Mapping[str, Any] | None, known: set[str]) -> bool:
    """Whether a message is of a widget that takes a cell's output; it is then one of those `known`."""
    content = content or {}
    state = (content.get("data") or {}).get("state") or {}
    if state.get("_model_name") == "OutputModel":
        known.add(content["comm_id"])
    return content.get("comm_id") in known


def escape_surrogates(session: Any) -> None:
    """Let what is sent with this session have its lone surrogates escaped, which no message can carry.

    ipykernel would drop the message, with all else that was printed meanwhile.
    """
    send = session.send

    def send_escaped(
        stream: Any, message: Any, content: Any = None, *args: Any, **more: Any
    ) -> Any:
        try:
            return send(stream, message, content, *args, **more)
        except UnicodeEncodeError:  # before anything was sent
            return send(stream, _escaped(message), _escaped(content), *args, **more)

    session.send = send_escaped


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    return value


class Updates:
    """Sends of the updates of an output not more than a few a second, and always the last one.

    Each would cost the kernel and the host as much as a new output.
    """

    def __init__(self, publisher: Any) -> None:
        self._publish = publisher.publish
        self._waiting: dict[object, tuple[Any, Any, dict[str, Any]]] = {}
        self._sent: dict[object, float] = {}
        publisher.publish = self.publish

    def publish(self, data: Any, metadata: Any = None, *args: Any, **more: Any) -> None:
        """What a display publisher does, but for updates that come too soon: they wait."""
        handle = (more.get("transient") or {}).get("display_id")
        now = originals.monotonic()
        if more.get("update") and now - self._sent.get(handle, 0.0) < INTERVAL:
            self._waiting[handle] = (data, metadata, more)
            return
        self._waiting.pop(handle, None)
        if handle is not None:
            self._sent[handle] = now
        self._publish(data, metadata, *args, **more)

    def flush(self) -> None:
        """Send what waits."""
        while self._waiting:
            data, metadata, more = self._waiting.pop(next(iter(self._waiting)))
            self._publish(data, metadata, **more)


def bounded(kind: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a message of this kind, with what is too much left out and marked."""
    match kind:
        case "stream":
            return _stream(content)
        case "display_data" | "execute_result" | "update_display_data":
            return _display(content)
        case "error" | "execute_reply" | protocol.EXECUTED:
            return {name: _cut(value) for name, value in content.items()}
    return content


def _stream(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The beginning and the end; the host, which may keep less of them, sets the mark."""
    text = content["text"]
    before = text.left_out if isinstance(text, written.Kept) else 0
    head = protocol.STREAM_LIMIT // limits.width(text)
    left_out = max(0, len(text) - head - protocol.STREAM_TAIL)
    if not before + left_out:
        return content
    kept = text[:head] + text[-protocol.STREAM_TAIL :] if left_out else str(text)
    return {**content, "text": kept, protocol.LEFT_OUT: before + left_out}


def _display(content: Mapping[str, Any]) -> Mapping[str, Any]:
    size = limits.weight_of(content)
    if size <= DISPLAY_LIMIT:
        return content
    mark = {"text/plain": limits.left_out_output(size)}
    return {**{name: _cut(value) for name, value in content.items()}, "data": mark, "metadata": {}}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return limits.shortened(value, TEXT_LIMIT)
    if isinstance(value, list):
        return [_cut(item) for item in value[-TRACEBACK_LIMIT:]]
    if isinstance(value, dict):
        return {_cut(key): _cut(item) for key, item in value.items()}
    return value


def bound_cells(shell: Any) -> None:
    """Let cells write, send and keep no more than a host is sent."""
    written.bound(shell)
    bound(shell.kernel.session)
    updates = Updates(shell.display_pub)
    shell.events.register("post_run_cell", lambda _: updates.flush())
